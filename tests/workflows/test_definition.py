"""What is wrong with a workflow file is said with file, line and what was probably meant."""

import pytest

from kernel.errors import CharterError
from tests.workflows.world import KINDS, starter, workflow
from workflows.engine.reading import load

HEAD = 'name: test\ndescription: A test\nchannel: "#general"\n'


def problems(text: str) -> list[str]:
    with pytest.raises(CharterError) as caught:
        load("workflows/test.yaml", text, KINDS, "UTC")
    return caught.value.problems


def test_the_digest_that_ships_is_right() -> None:
    assert [step.kind for step in starter().steps] == ["collect", "ask", "digest"]


def test_a_step_without_an_id_is_called_after_its_kind() -> None:
    one = workflow(HEAD + "steps:\n  - collect:\n  - post: {text: '{steps.collect.text}'}\n")
    assert [step.id for step in one.steps] == ["collect", "post"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("trigger: {cron: '0 9 * *'}\nsteps: [{collect: }]", "workflows/test.yaml:4: '0 9 * *' has 4 fields"),
        (
            "trigger: {cron: '0 9 * * *', zone: Europe/Zurick}\nsteps: [{collect: }]",
            "4: unknown time zone 'Europe/Zurick' (did you mean 'Europe/Zurich'?)",
        ),
        ("trigger: {cron: '@daily', mised: once}\nsteps: [{collect: }]", "4: unknown word 'mised'"),
        ("steps:\n  - colect:", "5: unknown kind of step 'colect' (did you mean 'collect'?)"),
        (
            "steps:\n  - {collect: , post: {text: x}}",
            "start, wait); this one says collect and post",
        ),
        ("steps:\n  - id: x", "this one says nothing"),
        ("steps:\n  - collect:\n      mots: 3", "6: unknown word 'mots' (did you mean 'most'?)"),
        ("steps:\n  - collect:\n  - id: collect\n    post: {text: x}", "6: the id 'collect' is taken"),
        ("steps:\n  - post: {text: '{steps.fact.text}'}", "5: unknown place {steps.fact.text}"),
        (
            "steps:\n  - id: facts\n    collect:\n  - post: {text: '{steps.fact.text}'}",
            "(did you mean 'steps.facts.text'?)",
        ),
        ("steps:\n  - post: {text: '{__import__}'}", "unknown place {__import__}"),
        ("steps:\n  - ask: {agent: lead, prompt: x, reads: [fact]}", "5: there is no earlier step 'fact'"),
        ("steps: []", "steps"),
    ],
)
def test_mistakes(text: str, problem: str) -> None:
    assert any(problem in one for one in problems(HEAD + text)), problems(HEAD + text)
