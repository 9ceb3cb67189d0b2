"""The decision rights around a call of the shop: the same origins, rules and decision as behind Bosun's door."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, cast

from benchmarks.agentdojo.gate import ANN, NOW, PLACE, DojoTool, Nobody
from benchmarks.agentdojo.labels import Label
from benchmarks.retail.shop import ITEMS, TOOLS
from kernel.types import Json, Labelled, RunFacts, ToolResult
from rules.engine import facts as facts_of_calls
from rules.engine.decide import Verdict, decide
from rules.engine.finding import by_words
from rules.engine.known import Known, KnownTool
from rules.engine.origins import origins_of
from rules.engine.rulebook import RuleBook

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kernel.people import DecisionDirectory
    from rules.engine.tooling import GovernedTool

RULES = Path(__file__).parent / "rules.yaml"
LISTS = frozenset({"item_ids", "new_item_ids", "changes", "items"})
SPENDS = ITEMS | {"return_delivered_order_items", "modify_pending_order_payment"}


def _schema(names: Sequence[str]) -> dict[str, Json]:
    kinds = {name: {"type": "array", "items": {"type": "string"}} for name in LISTS} | {
        "balance_left": {"type": "number"}
    }
    return {"type": "object", "properties": {name: kinds.get(name, {"type": "string"}) for name in names}}


WRITES = {
    name: DojoTool(
        name=name,
        label=Label(
            effect="spend" if name in SPENDS else "write",
            authority=tuple(one for one in ("customer", "method_of") if one in arguments),
        ),
        arguments=_schema(arguments),
    )
    for name, arguments in TOOLS.items()
}
FIND = DojoTool(
    name="find_customer",
    label=Label(look_up=("email", "first_name", "last_name", "zip")),
    arguments=_schema(("email", "first_name", "last_name", "zip")),
)


@cache
def rule_book() -> RuleBook:
    """The shop's rules, compared with its tools."""
    known = {
        tool.name: KnownTool(effect=tool.effect, arguments=tool.arguments, authority=tool.authority)
        for tool in WRITES.values()
    }
    book = RuleBook()
    book.load({"rules.yaml": RULES.read_text("utf-8")}, Known(tools=known, agents=frozenset({"shop"})))
    return book


class Gate:
    """One conversation with a customer: what they typed, and who was found by it."""

    def __init__(self, typed: str) -> None:
        self.run = RunFacts(
            run_id="run", ref="R-RUN", segment=1, agent="shop", requester=ANN, place=PLACE, typed=(typed,)
        )  # fmt: skip

    def looked_up(self, words: Mapping[str, str], found: Sequence[str]) -> None:
        """The agent has looked for the customer with these words, and these came back."""
        pieces = tuple(
            Labelled(text=one, field="user_id", record=number, names=True) for number, one in enumerate(found, 1)
        )
        result = ToolResult(content="", pieces=pieces, data={"records": [{"user_id": one} for one in found]})
        seen = by_words(cast("GovernedTool", FIND), words, self.run, result).pieces
        self.run = self.run.model_copy(update={"seen": (*self.run.seen, *seen)})

    def judge(self, name: str, arguments: Mapping[str, Json]) -> Verdict:
        """What the rules say to the call."""
        tool = cast("GovernedTool", WRITES[name])
        facts = facts_of_calls.of_run(
            self.run,
            tool=name,
            effect=tool.effect,
            arguments=arguments,
            origins=origins_of(tool, arguments, self.run, cast("DecisionDirectory", Nobody())),
            now=NOW,
            governed=tool,
        )
        return decide(rule_book().current, facts)
