"""Customers in HubSpot, over its CRM API (version 3 of objects, version 4 of associations).

HubSpot takes no idempotency key. What is begun is committed before it is begun; after a crash the record is looked for,
and where it is not found a person is asked. A request that HubSpot refuses for its rate (429) did nothing, so it is
sent again; one whose answer was lost is not.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from kernel.errors import OutcomeUnknown, ToolError
from tools.engine import attempts
from tools.engine.crm import hubspot_fields as names
from tools.engine.crm.records import KINDS
from tools.engine.failure import CannotDo, NotLetIn, NotThere, TooManyRequests
from tools.engine.web.service import LostError, Service

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kernel.store.attempts import Attempt
    from kernel.types import Json
    from tools.engine.context import ToolContext
    from tools.engine.crm.records import Record, Wanted
    from tools.engine.web.service import Reply

PAGE = 100  # records of one answer
MOST = 10_000  # records that a search gives at all
TRIES = 4  # of a request that is refused for its rate
LONGEST_WAIT = 10.0  # seconds between two of them: limits count in windows of ten seconds
WAYS = ("companies", "contacts", "deals")  # what a record can belong to


class HubSpot:
    """`tools.engine.crm.customers.Customers` for one call."""

    bin = "HubSpot keeps it in its recycle bin for 90 days. Only people can restore it there."

    def __init__(self, ctx: ToolContext) -> None:
        setup = ctx.setup.crm
        self._ctx = ctx
        self._service = Service(
            name="HubSpot",
            url=setup.url,
            headers={"authorization": f"Bearer {ctx.secrets[setup.token or '']}"},
            timeout=setup.timeout,
            web=ctx.http,
        )
        self._patience = 2 * setup.timeout  # seconds for a request with all its tries

    async def search(self, kind: str, words: Sequence[str], about: str, limit: int) -> list[Record]:
        """Records that fit the words by HubSpot's own search, last changed first."""
        found = [await self._search(each, " ".join(words), about, limit) for each in ([kind] if kind else KINDS)]
        return [record for each in found for record in each][:limit]

    async def _search(self, kind: str, words: str, about: str, limit: int) -> list[Record]:
        sort = {"propertyName": names.CHANGED.get(kind, "hs_lastmodifieddate"), "direction": "DESCENDING"}
        body: dict[str, Json] = {"properties": names.properties_of(kind), "sorts": [sort]}
        if words:
            body["query"] = words
        if about:
            under, number = names.parts_of(about)
            belongs = {"propertyName": f"associations.{under}", "operator": "EQ", "value": number}
            body["filterGroups"] = [{"filters": [belongs]}]
        found: list[Record] = []
        after = ""
        while len(found) < min(limit, MOST):
            page = {**body, "limit": min(PAGE, limit - len(found)), **({"after": after} if after else {})}
            answer = await self._read("POST", f"/crm/v3/objects/{names.TYPES[kind]}/search", page)
            found += _records(kind, answer, about)
            after = _next(answer)
            if not after:
                break
        return found

    async def get(self, ref: str) -> Record:
        """The record, and what it belongs to. CannotDo if there is none, or none any more."""
        kind, number = names.parts_of(ref)
        query = f"properties={','.join(names.properties_of(kind))}&associations={','.join(WAYS)}"
        try:
            found = await self._read("GET", f"/crm/v3/objects/{names.TYPES[kind]}/{number}?{query}")
        except NotThere as error:
            raise NotThere(f"There is no record {ref[:40]}. Look it up with search_crm.") from error
        record = names.read(kind, found, _about(found))
        if record is None:
            raise ToolError("HubSpot gave no proper answer: it holds no record.")
        return record

    async def create(self, kind: str, wanted: Sequence[Wanted]) -> list[Record]:
        """A new record, once. More than one at a time HubSpot does not make as a whole."""
        if len(wanted) != 1:
            raise CannotDo("HubSpot does not add several records as a whole. Use HubSpot's own import.")
        name, fields, about = wanted[0]
        properties = names.written(kind, name, fields, self._ctx.clock.now())
        body = {"properties": properties, "associations": await self._belonging(kind, about)}
        before = await attempts.begin(self._ctx, "add_record")
        if before is not None:
            return [await self._made_before(kind, properties, before)]
        try:
            async with asyncio.timeout(self._patience):
                reply = await self._send("POST", f"/crm/v3/objects/{names.TYPES[kind]}", body)
        except (LostError, TimeoutError) as error:
            raise OutcomeUnknown(f"{_lost(error)} The {kind} may have been added.") from error
        except ToolError:
            await attempts.forget(self._ctx)
            raise
        try:
            made = names.read(kind, reply.json("HubSpot"), about)
        except ToolError:
            made = None
        if made is None:
            raise OutcomeUnknown(f"HubSpot gave no proper answer. The {kind} may have been added.")
        await attempts.finish(self._ctx, {"ref": made.ref})
        return [made]

    async def _made_before(self, kind: str, properties: dict[str, str], before: Attempt) -> Record:
        """The record of an earlier try of this call. OutcomeUnknown where it cannot be found: it may come yet."""
        if before.outcome is not None:
            return await self.get(before.outcome["ref"])
        unique = next(each for each in (*names.NAMES[kind].values(), *properties) if each in properties)
        since = str(int(before.began_at.timestamp() * 1000))
        filters = [
            {"propertyName": unique, "operator": "EQ", "value": properties[unique]},
            {"propertyName": "createdate" if kind in _OBJECTS else "hs_createdate", "operator": "GTE", "value": since},
        ]
        body = {"filterGroups": [{"filters": filters}], "properties": names.properties_of(kind), "limit": 2}
        found = _records(kind, await self._read("POST", f"/crm/v3/objects/{names.TYPES[kind]}/search", body))
        if len(found) != 1:
            raise OutcomeUnknown(f"Bosun was stopped while it added the {kind} to HubSpot. It may have been added.")
        await attempts.finish(self._ctx, {"ref": found[0].ref})
        return found[0]

    async def change(self, record: Record, expected: Record | None = None) -> None:
        """Store the record as it is now: only what differs is sent."""
        now = await self.get(record.ref)
        if expected is not None and (now.name, now.fields) != (expected.name, expected.fields):
            raise CannotDo(f"{record.ref} was changed since, so it is left as it is.")
        properties = names.difference(now, record)
        if properties:
            await self._write("PATCH", record.ref, {"properties": properties}, "changed")

    async def remove(self, refs: Sequence[str]) -> None:
        """Put records into HubSpot's recycle bin."""
        for ref in refs:
            await self._write("DELETE", ref, None, "removed")

    async def restore(self, ref: str) -> None:
        """Its API cannot take a record out of the recycle bin."""
        raise CannotDo(f"{ref} is in HubSpot's recycle bin. Only people can restore it there.")

    # -- inside -----------------------------------------------------------------------------------

    async def _belonging(self, kind: str, about: str) -> list[Json]:
        """How a new record says what it belongs to. CannotDo where that is not there."""
        if not about:
            return []
        await self.get(about)
        under, number = names.parts_of(about)
        answer = await self._read("GET", f"/crm/v4/associations/{names.TYPES[kind]}/{names.TYPES[under]}/labels")
        for one in _results(answer):
            if isinstance(one, dict) and one.get("category") == "HUBSPOT_DEFINED" and one.get("label") is None:
                way = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": one.get("typeId")}
                return [{"to": {"id": number}, "types": [way]}]
        raise CannotDo(f"In HubSpot a {kind} cannot belong to a {under}.")

    async def _read(self, method: str, path: str, body: Json = None) -> Json:
        try:
            async with asyncio.timeout(self._patience):
                return (await self._send(method, path, body)).json("HubSpot")
        except (LostError, TimeoutError) as error:
            raise CannotDo(_lost(error)) from error

    async def _write(self, method: str, ref: str, body: Json, done: str) -> None:
        """A change that may be repeated: it says what is to be, not what is to be done."""
        kind, number = names.parts_of(ref)
        try:
            async with asyncio.timeout(self._patience):
                await self._send(method, f"/crm/v3/objects/{names.TYPES[kind]}/{number}", body)
        except (LostError, TimeoutError) as error:
            raise OutcomeUnknown(f"{_lost(error)} {ref} may have been {done}.") from error

    async def _send(self, method: str, path: str, body: Json) -> Reply:
        """One request; sent again, a few times, where HubSpot refuses it for its rate."""
        for tried in range(1, TRIES + 1):
            reply = await self._service.ask(method, path, json=body)
            if reply.status != 429:
                return self._checked(reply)
            if tried == TRIES or "DAILY" in _said(reply, "policyName"):
                break
            await asyncio.sleep(reply.retry_after(2.0 ** (tried - 2), LONGEST_WAIT))
        daily = " for today" if "DAILY" in _said(reply, "policyName") else ""
        raise TooManyRequests(f"HubSpot takes no more requests{daily} (status 429). Nothing was done; try again later.")

    def _checked(self, reply: Reply) -> Reply:
        if reply.status in {401, 403}:
            raise NotLetIn(
                f"HubSpot does not let us do this (status {reply.status}): look at the private app's scopes."
            )
        if reply.status == 404:
            raise NotThere("HubSpot has nothing there (status 404).")
        if reply.status == 409:
            raise ToolError(f"HubSpot has it already: {_said(reply, 'message')[:300]}")
        if reply.status == 400:
            raise ToolError(f"HubSpot does not take it: {_said(reply, 'message')[:500]}")
        return self._service.checked(reply)


_OBJECTS = frozenset({"company", "contact", "deal"})


def _lost(error: Exception) -> str:
    return str(error) or "HubSpot took too long."


def _results(answer: Json) -> list[Json]:
    found = answer.get("results") if isinstance(answer, dict) else None
    if not isinstance(found, list):
        raise ToolError("HubSpot gave no proper answer: it holds no results.")
    return found


def _records(kind: str, answer: Json, about: str = "") -> list[Record]:
    return [record for each in _results(answer) if (record := names.read(kind, each, about)) is not None]


def _next(answer: Json) -> str:
    """Where the next page begins; empty where there is none."""
    paging = answer.get("paging")
    further = paging.get("next") if isinstance(paging, dict) else None
    after = further.get("after") if isinstance(further, dict) else None
    return after if isinstance(after, str) else ""


def _about(found: Json) -> str:
    """The first record that it belongs to."""
    given = found.get("associations") if isinstance(found, dict) else None
    for way in WAYS:
        there = given.get(way) if isinstance(given, dict) else None
        results = there.get("results") if isinstance(there, dict) else None
        if isinstance(results, list) and results and isinstance(results[0], dict):
            kind = next(one for one, plural in names.TYPES.items() if plural == way)
            return names.ref_of(kind, str(results[0].get("id", "")))
    return ""


def _said(reply: Reply, key: str) -> str:
    """What HubSpot says of a refusal."""
    try:
        answer = reply.json("HubSpot")
    except ToolError:
        return ""
    return str(answer.get(key, "")) if isinstance(answer, dict) else ""
