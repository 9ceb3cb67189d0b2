"""The decision rights around a tool call of AgentDojo: the same origins, rules and decision as behind Bosun's door."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from pydantic import BaseModel

from benchmarks.agentdojo.labels import LABELS, Label
from kernel.types import Json, Labelled, Person, Place, RunFacts, ToolResult, ToolSchema
from rules.engine import facts as facts_of_calls
from rules.engine import values
from rules.engine.decide import Verdict, charges, decide
from rules.engine.finding import by_words
from rules.engine.known import Known, KnownTool
from rules.engine.meters import Used
from rules.engine.origins import origins_of
from rules.engine.rulebook import RuleBook
from rules.engine.seen import Seen

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from kernel.people import DecisionDirectory
    from rules.engine.tooling import GovernedTool

RULES = Path(__file__).parents[2] / "charter" / "rules" / "general.yaml"  # the starter charter's own
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
ANN = Person(id="ann", name="Ann")
ROLES = frozenset({"finance"})  # she has AgentDojo's bank account: she decides about her own money
PLACE = Place(platform="web", tenant="local", channel="general", thread="t1")


@dataclass(frozen=True, kw_only=True)
class DojoTool:
    """`GovernedTool` of a function with its declaration."""

    name: str
    label: Label
    arguments: Mapping[str, Json]  # JSON Schema

    effect = property(lambda self: self.label.effect)
    authority = property(lambda self: self.label.authority)
    free_text = property(lambda self: self.label.free_text)
    look_up = property(lambda self: self.label.look_up)
    posts_to = ""
    always_asked = False

    @property
    def schema(self) -> ToolSchema:
        """What a model would be told."""
        return ToolSchema(name=self.name, description=self.name, arguments=dict(self.arguments))

    def parse(self, arguments: Mapping[str, Json]) -> BaseModel:
        """Not needed: the calls of the benchmark fit."""
        raise NotImplementedError


class Nobody:
    """A directory without people and channels: the benchmark has none of its own team."""

    def by_id(self, _person_id: str) -> None:
        return None

    def everybody(self) -> tuple[Person, ...]:
        return ()

    def channel(self, _name: str, _platform: str, _tenant: str) -> None:
        return None


def tools_of(functions: Iterable[Any]) -> dict[str, DojoTool]:
    """The functions of a suite as governed tools."""
    return {
        each.name: DojoTool(
            name=each.name, label=LABELS.get(each.name, Label()), arguments=each.parameters.model_json_schema()
        )
        for each in functions
    }


def rule_book(tools: Mapping[str, DojoTool]) -> RuleBook:
    """The starter charter's rules for whatever tool, with the tests that name Bosun's own tools left out."""
    known = {
        name: KnownTool(
            effect=tool.effect, arguments=tool.arguments, authority=tool.authority, free_text=tool.free_text
        )
        for name, tool in tools.items()
    }
    text = RULES.read_text("utf-8").partition("\ntests:")[0]
    book = RuleBook()
    book.load({"rules/general.yaml": text}, Known(tools=known, roles=frozenset({"admin", "finance"})))
    return book


class Gate:
    """One run: what was asked, what it has read so far, and what the rules say to its next call."""

    def __init__(self, tools: Mapping[str, DojoTool], book: RuleBook, prompt: str) -> None:
        self.tools = tools
        self.book = book
        self.index = Seen()
        self.used: defaultdict[str, Decimal] = defaultdict(Decimal)  # of budgets
        self.wrote = set[str]()  # texts of its own, written when it had read text from outside
        self.run = RunFacts(
            run_id="run",
            ref="R-RUN",
            segment=1,
            agent="lead",
            requester=ANN,
            roles=ROLES,
            place=PLACE,
            channel_name="#general",
            typed=(prompt,),
        )

    def judge(self, name: str, arguments: Mapping[str, Json]) -> Verdict:
        """What the rules say to the call."""
        tool = cast("GovernedTool", self.tools[name])
        facts = facts_of_calls.of_run(
            self.run,
            tool=name,
            effect=tool.effect,
            arguments=arguments,
            origins=origins_of(tool, arguments, self.run, cast("DecisionDirectory", Nobody()), self.index),
            now=NOW,
            governed=tool,
        )
        rules = self.book.current
        meters = rules.meters(facts.agent, name, tool.effect)
        facts = replace(facts, used={meter.key: Used(amount=self.used[meter.key]) for meter in meters})
        verdict = decide(rules, facts)
        for charge in charges(rules, verdict, facts) if verdict.decision == "allow" else ():
            self.used[charge.meter.key] += charge.amount
        return verdict

    def saw(self, name: str, arguments: Mapping[str, Json], returned: Any) -> None:
        """The run has read what the tool returned. What it wrote itself carries its label whoever keeps it."""
        tool = self.tools[name]
        if self.run.outside_text_read:
            texts = (leaf for argument in tool.free_text for leaf in values.leaves(arguments.get(argument)))
            self.wrote |= {str(text) for text in texts if text}
        records = list(_records(returned, keyed=tool.label.keyed))
        pieces = tuple(
            piece.model_copy(update={"origin": "outside_text"} if any(own in piece.text for own in self.wrote) else {})
            for number, record in enumerate(records, 1)
            for piece in _pieces(tool, number, record)
        )
        result = ToolResult(content=str(returned), pieces=pieces, data={"records": records})
        found = by_words(cast("GovernedTool", tool), arguments, self.run, result).pieces
        self.run = self.run.model_copy(update={"seen": (*self.run.seen, *found)})
        for piece in found:
            self.index.add(piece)


class NoGate(Gate):
    """Lets everything through: what the attacks do where nobody decides."""

    def judge(self, name: str, arguments: Mapping[str, Json]) -> Verdict:
        """Always allowed."""
        return Verdict(decision="allow", rules=(), version="", reason=f"Nobody decides about {name}.")


def _records(returned: Any, *, keyed: bool = False) -> Iterator[dict[str, Json]]:
    if returned is None:
        return
    if keyed and isinstance(returned, dict):
        for name, value in returned.items():
            yield {"name": str(name), "value": _plain(value)}
        return
    if isinstance(returned, BaseModel):
        yield returned.model_dump(mode="json")
    elif isinstance(returned, dict):
        yield {str(name): _plain(value) for name, value in returned.items()}
    elif isinstance(returned, list | tuple):
        for each in returned:
            yield from _records(each)
    else:
        yield {"value": returned}


def _plain(value: Any) -> Json:
    return value.model_dump(mode="json") if isinstance(value, BaseModel) else value


def _pieces(tool: DojoTool, number: int, record: Mapping[str, Json]) -> Iterator[Labelled]:
    for name, value in record.items():
        for leaf in _leaves(value):
            yield Labelled(
                text=leaf,
                origin=tool.label.origins.get(name, "outside_text"),
                source=tool.name,
                field=name,
                record=number,
                names=name in tool.label.names,
                title=name in tool.label.titles,
                personal=name in tool.label.personal,
            )


def _leaves(value: Json) -> Iterator[str]:
    if isinstance(value, dict):
        for key, each in value.items():
            yield str(key)
            yield from _leaves(each)
    elif isinstance(value, list):
        for each in value:
            yield from _leaves(each)
    elif value is not None and value != "":
        yield str(value)
