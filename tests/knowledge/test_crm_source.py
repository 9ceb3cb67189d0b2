"""The CRM is known as it is now: what changed is read anew, what was removed is forgotten, labels and readers stay."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from kernel.clock import CountedIds, FixedClock
from kernel.store import Store
from kernel.types import Labelled, RunFacts
from knowledge import crm
from knowledge.engine.knowledge import Knowledge
from knowledge.engine.source_settings import Surroundings
from tests.knowledge.conftest import Opened
from tests.knowledge.team import IN_FINANCE, IN_GENERAL
from tests.tools.team import Team, facts
from tools import search_knowledge as searching
from tools.engine.context import ToolContext
from tools.engine.crm.local import LocalCrm
from tools.engine.permit import digest_of, issue
from tools.engine.web.settings import WebSettings


@pytest.fixture
async def knowledge(sqlite_store: Store, open_knowledge: Opened) -> Knowledge:
    return await open_knowledge(sqlite_store)


@pytest.fixture
def ctx(knowledge: Knowledge, sqlite_store: Store, clock: FixedClock, tmp_path: Path) -> ToolContext:
    return ToolContext(
        call_id="01CALL0000000000000000000A",
        facts=facts(),
        store=sqlite_store,
        clock=clock,
        ids=CountedIds(),
        workspace=tmp_path,
        knowledge=knowledge,
        directory=Team(),
        http=WebSettings(),
    )


def after(ctx: ToolContext, call_id: str, **seen: str) -> ToolContext:
    """Another call, by a run that has read a text of this origin."""
    pieces = tuple(Labelled(text="x", origin=origin) for origin in seen.values())
    known: RunFacts = ctx.facts.model_copy(update={"seen": pieces})
    return replace(ctx, call_id=call_id, facts=known)


async def test_records_are_found_with_what_they_belong_to_and_forgotten_when_they_are_removed(
    knowledge: Knowledge, around: Surroundings, ctx: ToolContext, clock: FixedClock
) -> None:
    [acme] = await LocalCrm(ctx).create("company", [("Acme", {"industry": "Rockets"}, "")])
    again = after(ctx, "01CALL0000000000000000000B")
    [deal] = await LocalCrm(again).create("deal", [("Spring order", {"stage": "won", "amount": "1200"}, acme.ref)])
    settings = crm.Settings(name="customers", kind="crm", readers=("#finance",))
    report = await knowledge.sync(crm.open_source(settings, around))
    assert report.added == 2
    found = (await knowledge.search("Spring order of Acme", IN_FINANCE)).passages[0]
    assert found.title == f"Deal {deal.ref}: Spring order"
    assert f"Belongs to: company Acme ({acme.ref})" in found.text
    assert "Stage: won" in found.text
    assert not (await knowledge.search("Spring order of Acme", IN_GENERAL)).passages
    clock.advance(minutes=1)
    await LocalCrm(ctx).change(acme.with_("Acme Rockets", {}))
    report = await knowledge.sync(crm.open_source(settings, around))
    assert (report.changed, report.unchanged) == (2, 0)  # the deal names its company
    assert "company Acme Rockets" in (await knowledge.search("Spring order", IN_FINANCE)).passages[0].text
    await LocalCrm(ctx).remove([deal.ref])
    report = await knowledge.sync(crm.open_source(settings, around))
    assert (report.forgotten, report.unchanged) == (1, 1)
    assert not [one for one in (await knowledge.search("Spring order", IN_FINANCE)).passages if "Deal" in one.title]
    companies = settings.model_copy(update={"records": ("deal",)})
    assert (await knowledge.sync(crm.open_source(companies, around))).forgotten == 1


async def test_a_record_keeps_its_label_and_personal_data_is_marked(
    knowledge: Knowledge, around: Surroundings, ctx: ToolContext
) -> None:
    mail = after(ctx, "01CALL0000000000000000000C", seen="outside_text")
    [acme] = await LocalCrm(mail).create("company", [("Acme", {}, "")])
    await LocalCrm(ctx).create("contact", [("Jo Meyer", {"email": "jo@acme.test"}, acme.ref)])
    await LocalCrm(after(ctx, "01CALL0000000000000000000D")).create("note", [("Parking", {"text": "It is free."}, "")])
    settings = crm.Settings(name="customers", kind="crm")
    await knowledge.sync(crm.open_source(settings, around))
    shown = {
        passage.title.split(": ")[1]: passage.origin
        for query in ("Acme", "Jo Meyer", "Parking")
        for passage in (await knowledge.search(query, IN_GENERAL)).passages
    }
    assert shown == {"Acme": "outside_text", "Jo Meyer": "outside_text", "Parking": "member_text"}
    arguments = {"query": "Jo Meyer of Acme", "limit": 6}
    tool = searching.search_knowledge
    permit = issue(call_id=ctx.call_id, tool=tool.name, digest=digest_of(tool.name, arguments))
    result = await tool.perform(permit, arguments, ctx)
    assert {piece.personal for piece in result.pieces if "jo@acme.test" in piece.text} == {True}
    assert {piece.personal for piece in result.pieces if "It is free." in piece.text} <= {False}
