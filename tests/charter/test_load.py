"""A charter is checked as a whole: every mistake in every file, with file, line and what was probably meant."""

from pathlib import Path

import pytest

from bot.engine.app import read_charter
from bot.engine.charter import Charter
from kernel.config import Settings
from kernel.errors import CharterError
from tests.charter.conftest import Change, load


def problems(folder: Path) -> list[str]:
    with pytest.raises(CharterError) as caught:
        load(folder)
    return caught.value.problems


def test_a_charter_holds_what_its_files_say(charter: Charter) -> None:
    assert charter.team.name == "Acme"
    assert set(charter.channels) == {"#general", "#finance"}
    assert charter.roles["finance"].members == ("bo", "cy")
    assert dict(charter.roles["finance"].groups) == {"slack": "S1", "discord": "77"}
    assert charter.roles["admin"].members == ("ann",)
    assert charter.workflows["hello"].zone == "Europe/Zurich"
    assert charter.known.agents == frozenset({"lead"})
    assert list(charter.rules) == ["rules/money.yaml"]
    assert not charter.demo


def test_off_needs_no_quotes(folder: Path, change: Change) -> None:
    assert (load(folder).team.feedback, load(folder).team.footer) == ("every", "first")
    change("bosun.yaml", "operators:", "feedback: off\nfooter: off\noperators:")
    assert (load(folder).team.feedback, load(folder).team.footer) == ("off", "off")
    change("bosun.yaml", "feedback: off", "feedback: sometimes")
    assert "feedback" in problems(folder)[0]


def test_the_digest_follows_the_content(folder: Path, change: Change) -> None:
    before = load(folder).digest
    assert load(folder).digest == before
    change("rules/money.yaml", "by finance", "by finance alone")
    assert load(folder).digest != before


def test_the_charter_that_ships_is_valid_with_the_tools_that_ship() -> None:
    charter = read_charter(Settings())
    assert charter.demo
    assert {"ann", "bo", "cy", "dee"} == set(charter.people)
    assert "digest" in charter.workflows


@pytest.mark.parametrize(
    "mistake",
    [
        ("bosun.yaml", "Europe/Zurich", "Europe/Zurick", "bosun.yaml:2: time_zone: unknown time zone 'Europe/Zurick'"),
        ("bosun.yaml", "purpose", "porpose", "bosun.yaml:4: unknown word 'porpose' (did you mean 'purpose'?)"),
        (
            "bosun.yaml",
            "readers: [finance]",
            "readers: [finanse]",
            "bosun.yaml:5: unknown role 'finanse' (did you mean 'finance'?)",
        ),
        (
            "bosun.yaml",
            'operators: "#general"',
            'operators: "#genral"',
            "bosun.yaml:6: unknown channel '#genral' (did you mean '#general'?)",
        ),
        ("bosun.yaml", "slack: C2", "slack: C1", "bosun.yaml:5: C1 is the slack id of #general already"),
        ("bosun.yaml", "name: Acme\n", "", "bosun.yaml:1: 'name' is missing"),
        (
            "bosun.yaml",
            "name: Acme\n",
            "name: Acme\nbudgets:\n  - {cost: 5, per: day, owner: finanse}\n",
            "bosun.yaml:3: unknown role 'finanse' (did you mean 'finance'?)",
        ),
        (
            "bosun.yaml",
            "name: Acme\n",
            "name: Acme\nbudgets:\n  - {cost: 5, per: day}\n  - {cost: 7, per: day}\n",
            "bosun.yaml:4: there is a budget for the same time and the same people already",
        ),
        (
            "people.yaml",
            "roles: [finance]}\n  cy",
            "roles: [finanse]}\n  cy",
            "people.yaml:3: unknown role 'finanse' (did you mean 'finance'?)",
        ),
        ("people.yaml", "slack: [U2, U22]", "slack: [U1, U22]", "people.yaml:3: the account U1 is ann's already"),
        (
            "people.yaml",
            "members: [ann]",
            "members: [anne]",
            "people.yaml:7: unknown person 'anne' (did you mean 'ann'?)",
        ),
        ("people.yaml", "people:", "demo: true\npeople:", "people.yaml:3: demo people have web accounts only"),
        (
            "agents/lead.md",
            "tools: [pay]",
            "tools: [pya]",
            "agents/lead.md:4: unknown tool 'pya' (did you mean 'pay'?)",
        ),
        (
            "rules/money.yaml",
            "who: [finance]",
            "who: [finanse]",
            "rules/money.yaml:7: unknown role 'finanse' (did you mean 'finance'?)",
        ),
        (
            "rules/money.yaml",
            "tool: [pay]",
            "tool: [pya]",
            "rules/money.yaml:5: unknown tool 'pya' (did you mean 'pay'?)",
        ),
        (
            "workflows/hello.yaml",
            "#general",
            "#genral",
            "workflows/hello.yaml:3: unknown channel '#genral' (did you mean '#general'?)",
        ),
        (
            "workflows/hello.yaml",
            "post: {text: Hello}",
            "ask: {agent: laed, prompt: Hi}",
            "workflows/hello.yaml:5: unknown agent 'laed' (did you mean 'lead'?)",
        ),
    ],
)
def test_mistakes(folder: Path, change: Change, mistake: tuple[str, str, str, str]) -> None:
    name, old, new, expected = mistake
    change(name, old, new)
    found = problems(folder)
    assert any(problem.startswith(expected) for problem in found), found


def test_all_mistakes_are_told_at_once(folder: Path, change: Change) -> None:
    change("bosun.yaml", "Europe/Zurich", "Nowhere")
    change("people.yaml", "members: [ann]", "members: [nobody]")
    change("rules/money.yaml", "version: 1", "version: 9")
    change("workflows/hello.yaml", "post:", "pots:")
    assert {problem.partition(":")[0] for problem in problems(folder)} == {
        "bosun.yaml",
        "people.yaml",
        "rules/money.yaml",
        "workflows/hello.yaml",
    }


def test_what_is_no_text_or_no_charter_is_said(folder: Path, tmp_path: Path) -> None:
    (folder / "rules/money.yaml").write_bytes(b"version: 1\n\xff\xfe")
    assert "rules/money.yaml:2: the file is not UTF-8 text" in problems(folder)
    (folder / "people.yaml").unlink()
    assert any("people.yaml:1: the file is missing" in problem for problem in problems(folder))
    assert "bosun init" in problems(tmp_path / "elsewhere")[0]


def test_two_workflows_of_one_name(folder: Path) -> None:
    (folder / "workflows/again.yaml").write_text((folder / "workflows/hello.yaml").read_text())
    assert problems(folder) == ["workflows/hello.yaml:1: there is a workflow 'hello' already"]


def test_ids_of_discord_may_be_written_without_quotes(folder: Path, change: Change) -> None:
    change("people.yaml", "web: ann, slack: U1", "web: ann, discord: 1300000000000000001")
    charter = load(folder)
    assert charter.people["ann"].accounts() == [("web", "ann"), ("discord", "1300000000000000001")]
