"""What became of the promises while calls failed and while Bosun was killed, as the last recorded runs say.

`--record` beside `--storm` or `--kill` writes what a run shows into `rough.json`, test by test, and the tables of
docs/conformance.md from all that is in there. A promise that a mode cannot disturb says so by name.
"""

from __future__ import annotations

import json
from pathlib import Path

from tests.ground.conformance import BEHAVIOURS, FAILED, PASSED, PLATFORMS, Behaviour, claimed

RECORD = Path(__file__).with_name("rough.json")
PAGE = Path(__file__).resolve().parents[2] / "docs" / "conformance.md"
MODES = {"storm": "while every fifth call fails", "kill": "while Bosun is killed once in the middle"}
NO_CALLS = "by design: no calls to fail"  # in the web chat a storm changes nothing
ALONE = {  # promise -> why a run that disturbs everything shows nothing of it on some platforms
    31: "by design: here the look-up of a role is what fails",
    32: "by design: here nothing is to happen",
    33: "by design: with a keyboard in a browser; what is decided goes the way of 12",
}

Shown = dict[str, tuple[list[str], str]]  # test -> what it shows ("12 slack"), PASSED or FAILED


def record(mode: str, tests: Shown, path: Path = RECORD) -> None:
    """Keep what these tests have shown; what is known of others stays, as long as there are such tests."""
    known = recorded(path)
    still = {name.rpartition("::")[2] for names in claimed().values() for name in names}
    merged = {**known.get(mode, {}), **tests}
    known[mode] = {test: merged[test] for test in sorted(merged) if _function(test) in still}
    lines = [f"{json.dumps(mode)}: {{\n{_lines(shown)}\n}}" for mode, shown in sorted(known.items())]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def _lines(shown: Shown) -> str:
    return ",\n".join(f" {json.dumps(test)}: {json.dumps(what)}" for test, what in shown.items())


def _function(test: str) -> str:
    return test.rpartition("::")[2].partition("[")[0]


def recorded(path: Path = RECORD) -> dict[str, Shown]:
    """Mode -> what its tests have shown."""
    found: dict[str, Shown] = json.loads(path.read_text()) if path.exists() else {}
    return found


def table(mode: str, path: Path = RECORD) -> str:
    """Markdown: every promise with what became of it in this mode."""
    rows = [f"| | {MODES[mode]} | Slack | Discord | web chat |", "|---|---|---|---|---|"]
    for one in BEHAVIOURS:
        cells = " | ".join(cell(mode, one, platform, path) for platform in PLATFORMS)
        rows.append(f"| {one.number} | {one.promise} | {cells} |")
    return "\n".join(rows)


def cell(mode: str, one: Behaviour, platform: str, path: Path = RECORD) -> str:
    """What became of a promise on a platform in this mode, or the reason why it is not disturbed there."""
    mine = f"{one.number} {platform}"
    outcomes = [outcome for shows, outcome in recorded(path).get(mode, {}).values() if mine in shows]
    passed, failed = outcomes.count(PASSED), outcomes.count(FAILED)
    if one.fallbacks.get(platform):
        return f"by design: {one.fallbacks[platform]}"
    if mode == "storm" and platform == "web":
        return NO_CALLS
    if failed:
        return f"**failed ({failed})**"
    return f"passed ({passed})" if passed else ALONE.get(one.number, "not run")


def write(page: Path = PAGE) -> None:
    """Put the tables into the documentation."""
    text = page.read_text()
    for mode in MODES:
        begin, end = _marks(mode)
        before, _, rest = text.partition(begin)
        text = before + section(mode) + rest.partition(end)[2]
    page.write_text(text)


def section(mode: str) -> str:
    """The part of the page that is written by a run."""
    begin, end = _marks(mode)
    return f"{begin}\n{table(mode)}\n{end}"


def _marks(mode: str) -> tuple[str, str]:
    return f"<!-- {mode}: written by `--{mode} 1 --record` -->", f"<!-- end of {mode} -->"
