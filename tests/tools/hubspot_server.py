"""A small HubSpot in this process: the parts of its CRM API that are used, as its public OpenAPI documents say.

Objects of version 3 (create, read, change, archive, search) and the labels of associations of version 4. It is strict
where HubSpot is: unknown properties, missing times, addresses that are taken, scopes and rates.
"""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

TOKEN = "pat-eu1-0123456789"
PROPERTIES = {
    "companies": {"name", "website", "phone", "industry", "description"},
    "contacts": {"firstname", "lastname", "email", "phone", "jobtitle"},
    "deals": {"dealname", "amount", "deal_currency_code", "dealstage", "closedate", "description"},
    "notes": {"hs_note_body", "hs_timestamp"},
    "tasks": {"hs_task_subject", "hs_task_body", "hs_timestamp", "hs_task_status"},
}
ONE = {"companies": "company", "contacts": "contact", "deals": "deal"}
LABELS = {("contacts", "companies"): 279, ("deals", "companies"): 341, ("notes", "contacts"): 202}
CREATED = {"notes": "hs_createdate", "tasks": "hs_createdate"}
CHANGED = {"contacts": "lastmodifieddate"}


class Refused(Exception):
    """An answer that says no."""

    def __init__(self, status: int, category: str, message: str, headers: dict[str, str] | None = None, **more: str):
        self.response = JSONResponse(
            {"status": "error", "category": category, "message": message, "correlationId": "c-1", **more},
            status,
            headers,
        )


@dataclass
class HubSpot:
    """The account of one team."""

    url: str = ""
    now: datetime = datetime(2026, 3, 2, 9, tzinfo=UTC)
    objects: dict[str, dict[str, dict[str, Any]]] = field(default_factory=lambda: {one: {} for one in PROPERTIES})
    asked: list[tuple[str, str, Any]] = field(default_factory=list)  # method, path, body
    before: list[Response] = field(default_factory=list)  # what it answers instead, without doing anything
    after: list[Response] = field(default_factory=list)  # what it answers after it has done it
    always: Response | None = None  # what it answers to everything, without doing anything
    silent: asyncio.Event | None = None  # until this it answers nothing
    _ids: itertools.count[int] = field(default_factory=lambda: itertools.count(501))

    def app(self) -> Starlette:
        return Starlette(routes=[Route("/{rest:path}", self._take, methods=["GET", "POST", "PATCH", "DELETE"])])

    def put(self, kind: str, belongs: dict[str, str] | None = None, **properties: str) -> str:
        """A record that is there; its number."""
        number = str(next(self._ids))
        at = self.now.strftime("%Y-%m-%dT%H:%M:%S.000Z")
        own = {CREATED.get(kind, "createdate"): at, CHANGED.get(kind, "hs_lastmodifieddate"): at}
        self.objects[kind][number] = {"properties": {**properties, **own}, "belongs": belongs or {}}
        return number

    def times(self, method: str, ending: str = "") -> int:
        """How often it was asked so."""
        return sum(1 for one, path, _ in self.asked if one == method and path.endswith(ending))

    async def _take(self, request: Request) -> Response:
        body = await request.json() if request.method in {"POST", "PATCH"} else None
        self.asked.append((request.method, request.url.path, body))
        if self.silent is not None:
            await self.silent.wait()
        if self.before or self.always:
            return self.before.pop(0) if self.before else self.always or Response()
        try:
            if request.headers.get("authorization") != f"Bearer {TOKEN}":
                raise Refused(401, "INVALID_AUTHENTICATION", "The token is not known.")
            answer = self._answer(request, body)
        except Refused as refused:
            return refused.response
        return self.after.pop(0) if self.after else answer

    def _answer(self, request: Request, body: Any) -> Response:
        match request.method, request.url.path.strip("/").split("/"):
            case "GET", ["crm", "v4", "associations", one, other, "labels"]:
                known = LABELS.get((one, other))
                primary = {"category": "HUBSPOT_DEFINED", "typeId": 1, "label": "Primary"}
                plain = [{"category": "HUBSPOT_DEFINED", "typeId": known, "label": None}] if known else []
                return JSONResponse({"results": [primary, *plain]})
            case "POST", ["crm", "v3", "objects", kind, "search"]:
                return JSONResponse(self._search(kind, body))
            case "POST", ["crm", "v3", "objects", kind]:
                return JSONResponse(self._create(kind, body), 201)
            case method, ["crm", "v3", "objects", kind, number]:
                return self._one(method, kind, number, body, request)
        raise Refused(404, "OBJECT_NOT_FOUND", "There is nothing at this address.")

    def _one(self, method: str, kind: str, number: str, body: Any, request: Request) -> Response:
        known = self.objects[kind].get(number)
        if method == "DELETE":
            self.objects[kind].pop(number, None)
            return Response(status_code=204)
        if known is None:
            raise Refused(404, "OBJECT_NOT_FOUND", f"There is no {kind} {number}.")
        if method == "PATCH":
            self._check(kind, body["properties"])
            known["properties"] |= body["properties"]
        return JSONResponse(self._shown(number, known, request.query_params.get("properties", "").split(",")))

    def _create(self, kind: str, body: Any) -> Any:
        properties = body["properties"]
        self._check(kind, properties)
        if kind in {"notes", "tasks"} and "hs_timestamp" not in properties:
            raise Refused(400, "VALIDATION_ERROR", "hs_timestamp is required.")
        for number, known in self.objects["contacts"].items():
            if kind == "contacts" and known["properties"].get("email") == properties.get("email", "-"):
                raise Refused(409, "CONFLICT", f"Contact already exists. Existing ID: {number}")
        belongs = {}
        for one in body.get("associations", []):
            assert one["types"][0]["associationTypeId"] in LABELS.values()
            under = next(plural for plural in ONE if one["to"]["id"] in self.objects[plural])
            belongs[under] = one["to"]["id"]
        number = self.put(kind, belongs, **properties)
        return self._shown(number, self.objects[kind][number], list(properties))

    def _check(self, kind: str, properties: dict[str, str]) -> None:
        if strange := sorted(set(properties) - PROPERTIES[kind]):
            raise Refused(400, "VALIDATION_ERROR", f"Property {strange[0]} does not exist.")
        if kind == "companies" and properties.get("industry", "PAPER") not in {"", "PAPER", "BANKING"}:
            raise Refused(400, "VALIDATION_ERROR", "industry was not one of the allowed options: PAPER, BANKING.")

    def _search(self, kind: str, body: Any) -> Any:
        assert body.get("limit", 10) <= 200
        found = [one for one in self.objects[kind].items() if self._fits(one[1], body)]
        found.sort(key=lambda one: int(one[0]), reverse=True)
        begin, limit = int(body.get("after", 0)), body.get("limit", 10)
        page = found[begin : begin + limit]
        more = {"paging": {"next": {"after": str(begin + limit)}}} if begin + limit < len(found) else {}
        results = [self._shown(number, known, body.get("properties", [])) for number, known in page]
        return {"total": len(found), "results": results, **more}

    def _fits(self, known: dict[str, Any], body: Any) -> bool:
        words = " ".join(str(value) for value in known["properties"].values()).lower()
        if not all(word in words for word in body.get("query", "").lower().split()):
            return False
        groups = body.get("filterGroups", [])
        return not groups or any(all(self._passes(known, one) for one in group["filters"]) for group in groups)

    def _passes(self, known: dict[str, Any], wanted: dict[str, str]) -> bool:
        name, value = wanted["propertyName"], wanted["value"]
        if name.startswith("associations."):
            plural = next(plural for plural, one in ONE.items() if one == name.partition(".")[2])
            return bool(known["belongs"].get(plural) == value)
        has = known["properties"].get(name)
        if wanted["operator"] == "GTE":
            return has is not None and datetime.fromisoformat(has).timestamp() * 1000 >= int(value)
        return bool(has == value)

    def _shown(self, number: str, known: dict[str, Any], names: list[str]) -> Any:
        properties = {name: known["properties"].get(name) for name in names if name}
        belongs = {plural: {"results": [{"id": each, "type": "any"}]} for plural, each in known["belongs"].items()}
        return {
            "id": number,
            "properties": properties | {"hs_object_id": number},
            "archived": False,
            **({"associations": belongs} if belongs else {}),
        }
