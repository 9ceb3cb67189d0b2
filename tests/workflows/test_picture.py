"""The picture of a workflow: nothing lies on anything else, every text fits, and it says how the last runs went."""

import itertools
import struct
from collections.abc import Iterator

import pytest

from kernel.clock import FixedClock
from kernel.store import Store
from tests.workflows.world import GENERAL, KINDS, World, at, workflow
from workflows.engine import layout, picture, wording
from workflows.engine.definition import Step, Workflow
from workflows.engine.layout import Box, Frame, Told
from workflows.engine.portrait import Portrait, Portraits

HEAD = 'name: flow\ndescription: A flow\nchannel: "#general"\n'
WIDE = HEAD + (
    """
trigger: {cron: "0 9 * * mon-fri"}
steps:
  - {id: facts, ask: {agent: ops, prompt: "LONG", result: {type: object, properties: {count: {}, names: {}}}}}
  - branch:
      if: {value: "{steps.facts.data.count}", at_least: 3}
      then:
        - each:
            in: "{steps.facts.data.names}"
            as: name
            parallel: 3
            do:
              - {id: look, ask: {agent: ops, prompt: "Look at {name}"}}
              - branch:
                  if: {value: "{steps.look.text}", contains: bad}
                  then: [{call: {tool: pay, agent: ops, with: {account: EMBARGO, amount: 5}}}]
      else:
        - post: {text: "LONG 漢字 🚨 costs $5 and $x^2$"}
  - {call: {tool: pay, agent: ops, with: {account: CH2, amount: 7}}, on_failure: [{post: {text: X}}, {wait: {for: 2h}}]}
  - approve: {headline: Go on, who: [finance]}
""".replace("LONG", "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen und noch viel mehr davon " * 3)
)


def monospaced(text: str, size: float) -> float:
    """As wide as the widest letters of a usual font."""
    return len(text) * size


def told(step: Step) -> Told:
    return Told(label=step.id, text=wording.step_in_words(step, KINDS), gate="waits for finance", undo="undone")


def pairs(block: layout.Block) -> Iterator[tuple[Box, Box]]:
    return itertools.combinations([shape for shape in block.shapes if isinstance(shape, Box)], 2)


def test_no_step_lies_on_another_and_all_lie_in_the_picture() -> None:
    block = layout.sequence(workflow(WIDE).steps, told, monospaced)
    for one, two in pairs(block):
        beside = one.x + one.width <= two.x or two.x + two.width <= one.x
        below = one.y + one.height <= two.y or two.y + two.height <= one.y
        assert beside or below, (one.told.label, two.told.label)
    for shape in block.shapes:
        if isinstance(shape, Box | Frame):
            assert shape.x >= 0
            assert shape.x + shape.width <= block.width + 0.1
            assert shape.y >= 0
            assert shape.y + shape.height <= block.height + 0.1


@pytest.mark.parametrize("text", ["", "a", "word " * 50, "x" * 500, "short " + "y" * 300])
def test_a_text_fits_into_its_lines(text: str) -> None:
    lines = layout.wrapped(text, 240, 8.5, 3, monospaced)
    assert len(lines) <= 3
    assert all(monospaced(line, 8.5) <= 240 for line in lines)
    cut = bool(lines) and lines[-1].endswith("…")
    assert cut or "".join(lines).replace(" ", "") == text.replace(" ", "")


def drawn(flow: Workflow, name: str = "") -> tuple[int, int]:
    flow = flow.model_copy(update={"name": name or flow.name})
    portrait = Portrait(workflow=flow, heading=("Every day. " * 40,), gates={}, marks={}, past=(), kinds=KINDS)
    content = picture.png(portrait)
    assert content == picture.png(portrait)
    assert len(content) <= 2_000_000
    width, height = struct.unpack(">II", content[16:24])
    return width, height


def test_it_is_no_larger_than_chats_take_however_long_the_workflow_and_its_name() -> None:
    steps = "".join(f'  - post: {{text: "{number}"}}\n' for number in range(60))
    for width, height in (drawn(workflow(WIDE), "n" * 300), drawn(workflow(f"{HEAD}steps:\n{steps}"))):
        assert width <= 1600
        assert height <= 3200


async def test_it_says_whom_steps_ask_how_the_last_run_went_and_what_became_of_the_others(store: Store) -> None:
    world = World(store, FixedClock(at("2026-03-02 07:30")), workflow(WIDE))
    await world.scheduler.ring()
    world.clock.advance(hours=1)
    await world.scheduler.ring()
    await world.work()
    portrait = await Portraits(world.situation).of(world.workflows["flow"], GENERAL)
    assert portrait.marks == {"facts": "waits"}
    assert [one.became for one in portrait.past] == ["waits"]
    assert portrait.gates["call"].refused
    assert portrait.gates["approve"].roles == ("finance",)
    assert not portrait.gates["facts"].certain
    boxes = {step.id: portrait.told(step) for step in portrait.workflow.steps}
    assert boxes["approve"].gate == "waits for finance"
    assert boxes["facts"].gate.startswith("may ask")
    said = picture.alt_text(portrait)
    assert len(said) <= 1000
    assert "Every weekday at 09:00 (Europe/Zurich)" in said
    assert "Last runs: 1 at work." in said
    assert picture.png(portrait).startswith(b"\x89PNG")


async def test_a_run_that_failed_is_marked_at_the_step_where_it_failed(store: Store) -> None:
    text = HEAD + 'steps:\n  - post: {text: a}\n  - {id: bad, post: {text: "{history.runs.5}"}}\n'
    world = World(store, FixedClock(), workflow(text))
    await world.run_now("flow")
    portrait = await Portraits(world.situation).of(world.workflows["flow"], GENERAL)
    assert portrait.marks == {"post": "done", "bad": "failed"}
    assert [one.became for one in portrait.past] == ["failed"]
    assert "Last runs: 1 failed." in picture.alt_text(portrait)
