"""What the page may send, checked before anything is done with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypeVar

from pydantic import Field, StringConstraints, ValidationError

from bot.engine.carried import MOST
from kernel.errors import RefusedError
from kernel.types import Frozen

if TYPE_CHECKING:
    from starlette.requests import Request

    from kernel.types import Json

T = TypeVar("T", bound=Frozen)
BODY_LIMIT = 256 * 1024  # bytes

Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
NewId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{16,64}$")]  # made by the browser, unguessable


class Say(Frozen):
    """A message; `id` makes sending it again harmless."""

    id: NewId
    channel: Id
    thread: Id | None = None
    text: str = Field(max_length=20_000)
    files: tuple[Id, ...] = ()


class Pressed(Frozen):
    """A pressed button or a submitted dialog; `id` makes sending it again harmless."""

    id: NewId
    client: NewId  # the tab, to open a dialog in it
    subject: Id
    revision: int = Field(default=0, ge=0, le=MOST)
    verb: Id
    fields: dict[Id, Annotated[str, StringConstraints(max_length=20_000)]] = Field(default={}, max_length=10)
    message: Id | None = None  # that shows the button


class Reacted(Frozen):
    """An emoji that is put on a message or taken off."""

    message: Id
    emoji: str = Field(min_length=1, max_length=32)
    on: bool = True


class ReadUpTo(Frozen):
    """The person has read the channel up to this message."""

    channel: Id
    number: int


class Seen(Frozen):
    """The person has seen their notices up to this number."""

    upto: int


class Persona(Frozen):
    """Whom to be, in demo mode."""

    person: Id


async def parse(request: Request, shape: type[T]) -> T:
    """The request's body as a value; RefusedError says what is wrong with it."""
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > BODY_LIMIT:
            raise RefusedError("That is too long to send as a message.", hint="Attach it as a file.")
    try:
        return shape.model_validate_json(bytes(data))
    except ValidationError as error:
        first: Json = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise RefusedError(f"The page sent something unexpected: {where}: {first['msg']}") from error
