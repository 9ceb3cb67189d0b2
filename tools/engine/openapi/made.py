"""An operation of an API as a tool of ours: exactly the request that people see on the card is the one that is sent."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from kernel.errors import OutcomeUnknown
from kernel.types import Fact, Payload
from tools.engine.failure import CannotDo
from tools.engine.given_schema import GivenArguments, arguments_of
from tools.engine.mcp.names import name_of
from tools.engine.openapi.document import BODY
from tools.engine.preview import Preview, one_line
from tools.engine.results import said
from tools.engine.tool import ONLY_READS, REVERSIBLE, Tool

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kernel.types import Effect, Json, ToolResult
    from tools.engine.context import ToolContext
    from tools.engine.openapi.document import Operation
    from tools.engine.setup.servers import ApiSetup, OutsideTool
    from tools.engine.web.service import Reply, Service


def effect_of(operation: Operation, told: OutsideTool) -> Effect:
    """What tools.yaml says; where it says nothing GET reads, and everything else is asked about."""
    return told.effect or ("read" if operation.method == "GET" else told.counts_as)


def made(api: str, url: str, setup: ApiSetup, operation: Operation) -> Tool:
    """The tool for an operation that tools.yaml names."""
    told = setup.operations[operation.id]
    effect = effect_of(operation, told)
    names = tuple(operation.arguments["properties"])
    repeatable = told.repeatable or bool(setup.idempotency_header)

    async def body(args: GivenArguments, ctx: ToolContext) -> ToolResult:
        from tools.engine.web.service import LostError, Service  # httpx takes long to import

        sent = Sent(operation, args.model_dump(mode="json"))
        keys = {setup.idempotency_header: ctx.call_id} if setup.idempotency_header else {}
        service = Service(
            name=api, url=url, headers=_credentials(setup, ctx), timeout=setup.timeout, web=ctx.http,
            private=setup.private,
        )  # fmt: skip
        try:
            reply = await _asked(service, operation, sent, keys)
        except LostError as error:
            if effect in ONLY_READS or told.repeatable:
                raise CannotDo(str(error)) from error
            raise OutcomeUnknown(f"{error} It may have happened.") from error
        return said(_shown(reply), origin=told.results, source=f"api:{api}", summary=f"Asked {api}: {operation.id}")

    async def preview(args: GivenArguments, _ctx: ToolContext) -> Preview:
        sent = Sent(operation, args.model_dump(mode="json"))
        address = f"{url.rstrip('/')}{sent.path}{'?' + urlencode(sent.query) if sent.query else ''}"
        content = json.dumps(sent.body, indent=2, sort_keys=True, ensure_ascii=False) if sent.body is not None else ""
        return Preview(
            headline=one_line(f"{operation.method} {sent.path} of {api}"),
            facts=(
                Fact(label="Address", value=address),
                Fact(label="Does", value=one_line(operation.description, 200)),
            ),
            payloads=(Payload(title="Body", content=content),) if content else (),
            reversible=effect in REVERSIBLE,
        )

    return Tool(
        name=name_of(api, operation.id),
        description=f"{operation.description.rstrip('.')}. ({operation.method} {operation.path} of {api}.)",
        effect=effect,
        arguments=arguments_of(name_of(api, operation.id), operation.arguments),
        authority=told.authority or tuple(name for name in names if name not in told.free_text),
        free_text=tuple(name for name in told.free_text if name in names),
        safe_to_repeat=repeatable,
        secrets=setup.secrets(),
        timeout=2 * setup.timeout + 10,  # it may be asked twice
        _body=body,
        _previewer=preview,
    )


async def _asked(service: Service, operation: Operation, sent: Sent, keys: dict[str, str]) -> Reply:
    """What the API answers. LostError where that is lost; with an idempotency key it is asked twice before."""
    from tools.engine.web.service import LostError

    async def ask() -> Reply:
        headers = {**sent.headers, **keys}
        reply = await service.ask(operation.method, sent.path, query=sent.query, headers=headers, json=sent.body)
        return service.checked(reply, operation.id)

    try:
        return await ask()
    except LostError:
        if not keys:
            raise
    return await ask()


class Sent:
    """The parts of a request. CannotDo where a value cannot stand where it belongs."""

    def __init__(self, operation: Operation, arguments: Mapping[str, Json]) -> None:
        self.path = operation.path
        self.query: list[tuple[str, str]] = []
        self.headers: dict[str, str] = {}
        self.body: Json = arguments.get(BODY) if operation.has_body else None
        for parameter in operation.parameters:
            if (value := arguments.get(parameter.name)) is None:
                continue
            if parameter.where == "path":
                self.path = self.path.replace(f"{{{parameter.name}}}", _in_path(parameter.name, value))
            elif parameter.where == "query":
                values = value if isinstance(value, list) else [value]
                self.query += [(parameter.name, _text(each)) for each in values]
            else:
                self.headers[parameter.name] = _in_header(parameter.name, value)


def _in_path(name: str, value: Json) -> str:
    text = _text(value)
    if text in {"", ".", ".."}:
        raise CannotDo(f"{name} cannot be '{text}': it is a part of the address.")
    return quote(text, safe="")


def _in_header(name: str, value: Json) -> str:
    text = _text(value)
    if not (text.isascii() and text.isprintable()):
        raise CannotDo(f"{name} is sent in a header, so it has to be one line of plain characters.")
    return text


def _text(value: Json) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _credentials(setup: ApiSetup, ctx: ToolContext) -> dict[str, str]:
    given = {header: ctx.secrets[secret] for header, secret in setup.headers.items()}
    return {**given, "authorization": f"Bearer {ctx.secrets[setup.bearer]}"} if setup.bearer else given


def _shown(reply: Reply) -> str:
    if not reply.body:
        return f"Done (status {reply.status})."
    if reply.kind in {"application/json", ""} or reply.kind.endswith("+json") or reply.kind.startswith("text/"):
        return reply.text()
    return f"[{len(reply.body):,} bytes of {reply.kind}, not shown]"
