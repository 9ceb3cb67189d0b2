"""Every promise is shown on every platform, or there is another way by design that has a name."""

import importlib
from pathlib import Path

import pytest

from tests.ground import conformance, rough
from tests.ground.conformance import BEHAVIOURS, FAILED, PASSED, PLATFORMS, Behaviour

PAGE = Path(__file__).resolve().parents[2] / "docs" / "conformance.md"


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("behaviour", BEHAVIOURS, ids=lambda one: str(one.number))
def test_a_promise_has_a_test_on_each_platform_or_another_way_with_a_name(behaviour: Behaviour, platform: str) -> None:
    shown = conformance.claimed().get((behaviour.number, platform), [])
    assert shown or behaviour.fallbacks.get(platform), f"nothing shows “{behaviour.promise}” on {platform}"


def test_tests_show_only_promises_that_there_are() -> None:
    known = {behaviour.number for behaviour in BEHAVIOURS}
    assert {number for number, _ in conformance.claimed()} <= known


def test_the_documentation_says_the_same() -> None:
    assert conformance.promised() in PAGE.read_text(), "replace the table by what conformance.promised() gives"


@pytest.mark.parametrize("mode", rough.MODES)
def test_the_documentation_says_what_the_last_rough_runs_have_shown(mode: str) -> None:
    assert rough.section(mode) in PAGE.read_text(), f"run `make conformance` with --{mode} 1 --record"


def test_what_a_rough_run_shows_is_kept_test_by_test_while_there_are_such_tests(tmp_path: Path) -> None:
    path, first = tmp_path / "rough.json", BEHAVIOURS[0]
    one, two = sorted(name.partition("/")[2] for name in conformance.claimed()[1, "slack"])[:2]
    passed, failed, gone = (["1 slack"], PASSED), (["1 slack"], FAILED), "test_answers.py::test_that_there_was"
    rough.record("kill", {one: passed, f"{two}[slack]": failed, gone: failed}, path)
    assert rough.cell("kill", first, "slack", path) == "**failed (1)**"
    rough.record("kill", {f"{two}[slack]": passed}, path)
    assert rough.cell("kill", first, "slack", path) == "passed (2)"
    assert rough.cell("kill", first, "web", path) == "not run"
    assert rough.cell("storm", first, "web", path) == rough.NO_CALLS


def test_a_failure_on_one_platform_is_said_whatever_passes_beside_it() -> None:
    table = conformance.table({(1, "slack"): [PASSED, FAILED], (1, "web"): [PASSED, PASSED]})
    assert "| **failed** | not run | passed (2) |" in table.splitlines()[2]


def test_the_platforms_are_those_on_which_the_behaviours_run() -> None:
    run_on = importlib.import_module("tests.behaviours.conftest").PLATFORMS
    assert tuple(run_on) == PLATFORMS
