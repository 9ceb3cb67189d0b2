"""What a tool is: a body that opens for a permit, and the declarations by which people and rules judge it."""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_type_hints

from pydantic import BaseModel

from kernel.errors import ConfigError, OutcomeUnknown, ToolError
from kernel.types import Effect, ToolResult, ToolSchema
from tools.engine import arguments as typed
from tools.engine.failure import CannotDo, InVain
from tools.engine.fields import Returned
from tools.engine.permit import PermitError
from tools.engine.preview import Preview, generic, literal
from tools.engine.results import failure, fit, hidden, redact

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kernel.types import Json
    from tools.engine.context import ToolContext
    from tools.engine.permit import Permit
    from tools.engine.setup.file import ToolsFile

log = logging.getLogger(__name__)

EFFECTS: tuple[str, ...] = get_args(Effect)
ONLY_READS = frozenset({"read", "fetch"})
REVERSIBLE = frozenset({"read", "fetch", "write"})

A = TypeVar("A", bound=BaseModel)
Body = Callable[[A, "ToolContext"], Awaitable[ToolResult]]
Previewer = Callable[[A, "ToolContext"], Awaitable[Preview]]
Undoer = Callable[[A, "Json", "ToolContext"], Awaitable[ToolResult]]  # the arguments, and the `data` of the result
SecretNames = tuple[str, ...] | Callable[["ToolsFile"], tuple[str, ...]]  # fixed, or what tools.yaml names


class ToolDefinitionError(ConfigError):
    """A tool is declared incompletely."""

    code = "tool_definition"


@dataclass(frozen=True, kw_only=True, eq=False)
class Tool:
    """Something that an agent can ask for. It cannot be called: `perform` wants a permit of the door."""

    name: str
    description: str  # for the language model: what it does and when to use it
    effect: Effect
    arguments: type[BaseModel]
    authority: tuple[str, ...] = ()  # arguments that say who, where or what it acts on: their origin is judged
    free_text: tuple[str, ...] = ()  # arguments that are prose: judged only for the links in them
    look_up: tuple[str, ...] = ()  # arguments that are search words: who typed them meant the one record they find
    posts_to: str = ""  # the argument that names the channel whose readers will read the free text
    returns: type[Returned] | None = None  # the records that it returns; None: prose
    always_asked: bool = False  # no rule lets it through without people: it changes what agents may do
    safe_to_repeat: bool = False  # doing it twice with the same call id is the same as doing it once
    secrets: SecretNames = ()  # names of the secrets that it needs
    may_use: SecretNames = ()  # of those that it is given where they are set
    timeout: float = 30.0  # seconds
    max_output: int = 40_000  # characters that the model gets to read
    on: Callable[[ToolsFile], bool] | None = None  # whether the set-up has what it needs; None: it needs nothing
    _body: Body[Any] = field(repr=False)
    _previewer: Previewer[Any] | None = field(default=None, repr=False)
    _undoer: Undoer[Any] | None = field(default=None, repr=False)

    @property
    def module(self) -> str:
        """The module that defines it."""
        return self._body.__module__

    @property
    def can_undo(self) -> bool:
        """Whether it can take back what it did."""
        return self._undoer is not None

    def needs(self, setup: ToolsFile) -> frozenset[str]:
        """The secrets without which it cannot work."""
        return frozenset(self.secrets(setup) if callable(self.secrets) else self.secrets)

    def given(self, setup: ToolsFile) -> frozenset[str]:
        """All secrets that it is handed, where they are set."""
        more = self.may_use(setup) if callable(self.may_use) else self.may_use
        return self.needs(setup).union(more)

    @functools.cached_property
    def schema(self) -> ToolSchema:
        """What a language model is told of it."""
        return ToolSchema(name=self.name, description=self.description, arguments=typed.schema(self.arguments))

    def parse(self, arguments: Mapping[str, Json]) -> BaseModel:
        """The arguments as a typed value; CannotDo with a sentence for the language model if they do not fit."""
        return typed.parse(self.arguments, arguments)

    async def preview(self, arguments: Mapping[str, Json], ctx: ToolContext) -> Preview:
        """What people see before they decide; always with the literal content of the call. Changes nothing.

        CannotDo if the arguments do not fit, InVain if nobody need decide. A preview that fails otherwise is replaced
        by the plain one.
        """
        args = self.parse(arguments)
        plain = generic(self.name, self.authority, arguments, reversible=self.effect in REVERSIBLE)
        if self._previewer is None:
            return plain
        try:
            async with asyncio.timeout(self.timeout):
                own = await self._previewer(args, ctx)
        except InVain:
            raise
        except Exception as error:
            log.warning("The preview of %s failed: %r", self.name, error)
            why = error.message if isinstance(error, CannotDo) else "It could not be looked up what this would change."
            return plain.model_copy(update={"warning": why})
        own = own if own.payloads else own.model_copy(update={"payloads": (literal(arguments),)})
        return hidden(own, ctx.secrets)

    async def perform(self, permit: Permit, arguments: Mapping[str, Json], ctx: ToolContext) -> ToolResult:
        """Do it, once. What goes wrong comes back as a result with `error` and a sentence, with two exceptions.

        PermitError: the permit is not for these exact arguments in this call, or was used before; nothing happened.
        OutcomeUnknown: the tool acts on the world and was cut off, so it may have happened. A tool whose effect can be
        taken back, and that is safe to repeat, says so in its result instead.
        """
        permit.spend(call_id=ctx.call_id, tool=self.name, arguments=arguments)
        if undeclared := set(permit.secrets) - self.given(ctx.setup):
            raise PermitError(f"The permit carries secrets that {self.name} does not declare: {sorted(undeclared)}.")
        try:
            if missing := sorted(self.needs(ctx.setup) - set(permit.secrets)):
                raise CannotDo(f"{self.name} needs {', '.join(missing)}, which is not set on this installation.")
            args = self.parse(arguments)
            result = await self._run(args, replace(ctx, secrets=permit.secrets))
        except ToolError as error:
            result = failure(str(error), own_words=isinstance(error, CannotDo))
        return fit(redact(result, permit.secrets), self.max_output)

    async def take_back(self, arguments: Mapping[str, Json], data: Json, ctx: ToolContext) -> ToolResult:
        """Undo what a call with these arguments did; `data` is what its result kept. For the tool `undo` alone.

        CannotDo where it can no longer be undone.
        """
        if self._undoer is None:
            raise CannotDo(f"What {self.name} did cannot be undone.")
        return await self._undoer(self.parse(arguments), data, ctx)

    async def _run(self, args: BaseModel, ctx: ToolContext) -> ToolResult:
        try:
            async with asyncio.timeout(self.timeout):
                return await self._body(args, ctx)
        except (ToolError, OutcomeUnknown):
            raise
        except TimeoutError as error:
            raise self._cut_off(f"{self.name} took longer than {self.timeout:g} seconds.") from error
        except Exception as error:
            log.exception("%s failed in call %s", self.name, ctx.call_id)
            raise self._cut_off(f"{self.name} failed unexpectedly; the log has the details.") from error

    def _cut_off(self, sentence: str) -> OutcomeUnknown | CannotDo:
        """What is said of a call that did not come to its end. Another call of the agent would be no repetition."""
        if self.effect in ONLY_READS:
            return CannotDo(sentence)
        if self.effect in REVERSIBLE and self.safe_to_repeat:
            return CannotDo(f"{sentence} It may have happened: look before you do it again.")
        return OutcomeUnknown(f"{sentence} It may have happened.")


def tool(
    *,
    effect: Effect | None = None,
    authority: tuple[str, ...] = (),
    free_text: tuple[str, ...] = (),
    look_up: tuple[str, ...] = (),
    posts_to: str = "",
    returns: type[Returned] | None = None,
    always_asked: bool = False,
    safe_to_repeat: bool = False,
    secrets: SecretNames = (),
    may_use: SecretNames = (),
    timeout: float = 30.0,
    max_output: int = 40_000,
    on: Callable[[ToolsFile], bool] | None = None,
    preview: Previewer[A] | None = None,
    undo: Undoer[A] | None = None,
) -> Callable[[Body[A]], Tool]:
    """Make a Tool of `async def NAME(args: Model, ctx: ToolContext) -> ToolResult`, named after the function.

    The docstring is the description that the language model reads, `Model` gives the schema of the arguments.
    A tool that returns records declares their fields as `returns` and answers with `records(...)`. Where the values
    of `look_up` were typed by the requester and exactly one record came back, what names it is found by their words.
    Raises ToolDefinitionError, with every fault, where a declaration is missing or contradicts the arguments.
    """

    def make(body: Body[A]) -> Tool:
        name = body.__name__
        model = _model_of(body)
        faults = _faults(
            name,
            body.__doc__,
            model,
            effect=effect,
            authority=authority,
            free_text=free_text,
            others=(*look_up, posts_to),
        )
        if faults or effect is None or model is None:
            raise ToolDefinitionError("\n".join(faults))
        return Tool(
            name=name,
            description=" ".join((body.__doc__ or "").split()),
            effect=effect,
            arguments=model,
            authority=authority,
            free_text=free_text,
            look_up=look_up,
            posts_to=posts_to,
            returns=returns,
            always_asked=always_asked,
            safe_to_repeat=safe_to_repeat,
            secrets=secrets,
            may_use=may_use,
            timeout=timeout,
            max_output=max_output,
            on=on,
            _body=body,
            _previewer=preview,
            _undoer=undo,
        )

    return make


def _model_of(body: Body[A]) -> type[BaseModel] | None:
    """The annotation of the first parameter, where it is a model of arguments."""
    from tools.engine.context import ToolContext

    # A tool file may import these two for the type checker alone.
    hints = get_type_hints(body, localns={"ToolContext": ToolContext, "ToolResult": ToolResult})
    first = next(iter(hints.values()), None)
    return first if isinstance(first, type) and issubclass(first, typed.Arguments) else None


def _faults(
    name: str,
    doc: str | None,
    model: type[BaseModel] | None,
    *,
    effect: Effect | None,
    authority: tuple[str, ...],
    free_text: tuple[str, ...],
    others: tuple[str, ...] = (),
) -> list[str]:
    faults = []
    if effect not in EFFECTS:
        given = "declares no effect" if effect is None else f"declares the effect {effect!r}"
        faults.append(f"{name} {given}. Write @tool(effect=...) with one of: {', '.join(EFFECTS)}.")
    if not (doc or "").strip():
        faults.append(f"{name} has no docstring, so no agent can know what it does.")
    if model is None:
        faults.append(f"{name}: the first parameter is not annotated with a subclass of Arguments.")
        return faults
    faults += [f"{name}: the argument {key} has no description." for key in typed.undescribed(model)]
    for key in (*authority, *free_text):
        known = model.model_fields.get(key)
        if known is None:
            faults.append(f"{name}: there is no argument {key!r}.")
        elif key in authority and not known.is_required():
            faults.append(f"{name}: {key!r} bears authority, so it may not have a default: rules must see its value.")
    faults += [f"{name}: there is no argument {key!r}." for key in others if key and key not in model.model_fields]
    faults += [f"{name}: {key!r} is both authority and free text." for key in set(authority) & set(free_text)]
    return faults
