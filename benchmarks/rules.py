"""How fast rules decide, find out where values come from, and are linted: `python -m benchmarks.rules`.

A thousand invented rules of every kind. Processor time of one core, the best of several, so that other work on the
machine counts little.
"""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Any, cast

from benchmarks.agentdojo.gate import ANN, NOW, PLACE, DojoTool, Nobody
from benchmarks.agentdojo.labels import Label
from kernel.types import Effect, Labelled, RunFacts
from rules.engine import facts as facts_of_calls
from rules.engine.decide import decide
from rules.engine.facts import CallFacts
from rules.engine.known import Known, KnownTool
from rules.engine.language import Rule
from rules.engine.linting.lint import lint
from rules.engine.origins import origins_of
from rules.engine.ruleset import RuleSet
from rules.engine.seen import Seen

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kernel.people import DecisionDirectory
    from rules.engine.tooling import GovernedTool

RULES, TOOLS, AGENTS, CALLS = 1000, 100, 20, 5000
READ = 1_000_000  # characters
GENERAL = 10  # rules about whatever tool
EFFECTS: tuple[Effect, ...] = ("write", "send", "spend", "fetch")
TEXT, NUMBER = {"type": "string"}, {"type": "number"}
ARGUMENTS = {"properties": {"to": TEXT, "amount": NUMBER, "path": TEXT, "labels": {"type": "array", "items": TEXT}}}


def known(source: random.Random) -> Known:
    """The tools that the rules speak of."""
    tools = {
        f"tool{number}": KnownTool(effect=source.choice(EFFECTS), arguments=ARGUMENTS, authority=("to",))
        for number in range(TOOLS)
    }
    return Known(tools=tools, agents=frozenset(f"agent{number}" for number in range(AGENTS)))


def rules(source: random.Random) -> list[Rule]:
    """Rules of every kind: amounts, paths, addresses, roles and times, everything that a call acts on."""
    made = [_about_a_tool(source, number) for number in range(RULES - GENERAL)]
    targets = {"effect": list(EFFECTS), "targets": {"from": ["typed"]}, "decision": "allow", "attended": True}
    general = [
        {"id": f"general{number}", "why": "W.", "agent": f"agent{number}", **targets} for number in range(GENERAL)
    ]
    return [*made, *map(Rule.model_validate, general)]


def _about_a_tool(source: random.Random, number: int) -> Rule:
    asked: list[dict[str, Any]] = [
        {"args": {"amount": {"at_most": source.randrange(1000)}, "to": {"from": ["typed", "paid_before"]}}},
        {"args": {"path": {"matches": f"folder{source.randrange(50)}/**"}}},
        {"agent": f"agent{source.randrange(AGENTS)}", "args": {"to": {"is": f"x{source.randrange(100)}@acme.com"}}},
        {"context": {"outside_text_read": True}, "channel": "#general"},
        {"time": {"days": ["fri"], "from": "12:00"}, "requester": "finance"},
        {"targets": {"from": ["typed"]}, "args": {"labels": {"is": "urgent"}}},
    ]
    said = [{"decision": "allow"}, {"decision": "ask"}, {"decision": "deny"}, {"otherwise": "ask"}]
    words = {"id": f"rule{number}", "why": "W.", "tool": f"tool{number % TOOLS}"}
    return Rule.model_validate({**words, **source.choice(asked), **source.choice(said)})


def calls(source: random.Random, there: Known) -> list[CallFacts]:
    """Calls with their origins, of all agents and tools."""
    made = []
    for _ in range(CALLS):
        tool = f"tool{source.randrange(TOOLS)}"
        arguments = {
            "to": f"x{source.randrange(100)}@acme.com",
            "amount": source.randrange(1000),
            "path": f"folder{source.randrange(50)}/plan.md",
            "labels": ["new", "urgent"],
        }
        made.append(
            CallFacts(
                agent=f"agent{source.randrange(AGENTS)}",
                tool=tool,
                effect=there.tools[tool].effect,
                arguments=arguments,
                origins={"to": (frozenset({"typed"}),), "path": (frozenset({"nowhere"}),)},
                channel="#general",
                platform="web",
                requester="ann",
                outside_text_read=False,
                personal_data_read=False,
                authority=("to",),
                texts=(),
            )
        )
    return made


def read(source: random.Random) -> tuple[Labelled, ...]:
    """What a run has read: pages from outside, in which some of the addresses stand that its calls name."""
    words = ["".join(source.choices("abcdefghijklmnop", k=source.randint(2, 9))) for _ in range(5000)]
    addresses = [f"x{number}@acme.com" for number in range(0, 100, 3)]
    pages: list[str] = []
    while sum(map(len, pages)) < READ:
        pages.append(
            " ".join([*source.choices(words, k=1500), source.choice(addresses), *source.choices(words, k=500)])
        )
    return tuple(Labelled(text=page, origin="outside_text", source=f"page {n}") for n, page in enumerate(pages))


def tracked(in_force: RuleSet, asked: Sequence[CallFacts], seen: tuple[Labelled, ...]) -> list[float]:
    """Seconds of each decision with finding out where the values of its call come from, in order."""
    run = RunFacts(
        run_id="run", ref="R-RUN", segment=1, agent="agent0", requester=ANN, place=PLACE, channel_name="#general",
        typed=("Write to x5@acme.com and to x6@acme.com about folder7/plan.md",), seen=seen,
    )  # fmt: skip
    index, took = Seen.of(seen), []
    for each in asked:
        label = Label(effect=cast("Effect", each.effect), authority=("to", "path"))
        tool = cast("GovernedTool", DojoTool(name=each.tool, label=label, arguments=ARGUMENTS))
        begin = time.process_time()
        origins = origins_of(tool, each.arguments, run, cast("DecisionDirectory", Nobody()), index)
        facts = facts_of_calls.of_run(
            run, tool=each.tool, effect=each.effect, arguments=each.arguments, origins=origins, now=NOW, governed=tool
        )
        decide(in_force, facts)
        took.append(time.process_time() - begin)
    return sorted(took)


def best(work: Callable[[], object]) -> float:
    """Seconds of processor time, the best of five."""
    found = []
    for _ in range(5):
        begin = time.process_time()
        work()
        found.append(time.process_time() - begin)
    return min(found)


def main() -> None:
    """Measure and print."""
    source = random.Random(1)  # noqa: S311  invented rules
    there, made = known(source), rules(source)
    in_force, asked = RuleSet(made), calls(source, there)

    def decide_all() -> None:
        for facts in asked:
            decide(in_force, facts)

    decide_all()
    print(f"decisions with {len(made)} rules: {CALLS / best(decide_all):,.0f} per second of one core")
    pages = read(source)
    took = min((tracked(in_force, asked, pages) for _ in range(3)), key=lambda found: found[len(found) * 99 // 100])
    half, most = (1000 * took[len(took) * part // 100] for part in (50, 99))
    told = f"{half:.2f} ms, 99 of 100 within {most:.2f} ms"
    print(f"a decision with its origins in a run that has read {READ / 1_000_000:.0f} MB: {told}")
    print(f"lint of {len(made)} rules: {1000 * best(lambda: lint(made, there)):.0f} ms")


if __name__ == "__main__":
    main()
