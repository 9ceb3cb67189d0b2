"""What leaves a tool: labelled, no longer than agreed, without the secrets that it was given."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel

from kernel.types import Json, Labelled, Origin, ToolResult

if TYPE_CHECKING:
    from collections.abc import Mapping

M = TypeVar("M", bound=BaseModel)

SHORTEST_SECRET = 6  # characters: replacing shorter ones would garble ordinary text


def said(
    text: str,
    *,
    origin: Origin,
    source: str = "",
    summary: str = "",
    data: Json = None,
    personal: bool = False,
    readers: tuple[str, ...] = (),
) -> ToolResult:
    """A result of one piece of prose, all of it from one origin. `readers`: who may read it; empty: the team."""
    piece = Labelled(text=text, origin=origin, source=source, personal=personal, readers=readers)
    return ToolResult(content=text, pieces=(piece,), summary=summary, data=data)


def failure(sentence: str, *, own_words: bool) -> ToolResult:
    """A failed call. `own_words`: the sentence quotes nothing from outside, so reading it taints nothing.

    Its origin is then `nowhere`: what the model invented gains no authority by coming back in a refusal.
    """
    origin: Origin = "nowhere" if own_words else "outside_text"
    return ToolResult(
        content=sentence, pieces=(Labelled(text=sentence, origin=origin),), error=True, summary=sentence[:200]
    )


def fit(result: ToolResult, limit: int) -> ToolResult:
    """The result with at most `limit` characters of content and of pieces, and a note where something was left out."""
    size = len(result.content)
    if size <= limit and sum(len(piece.text) for piece in result.pieces) <= limit:
        return result
    pieces, left = [], limit
    for piece in result.pieces:
        if left <= 0:
            break
        pieces.append(piece.model_copy(update={"text": piece.text[:left]}))
        left -= len(piece.text)
    if any(piece.personal for piece in result.pieces[len(pieces) :]):  # it may still stand in what is shown
        pieces.append(Labelled(text="", origin="nowhere", personal=True))
    content = result.content
    if size > limit:
        content = f"{content[:limit]}\n\n[Cut here: {limit:,} of {size:,} characters are shown.]"
    return result.model_copy(update={"content": content, "pieces": tuple(pieces)})


def redact(result: ToolResult, secrets: Mapping[str, str]) -> ToolResult:
    """The result with every secret of the call replaced by its name: a service may echo what it was sent."""
    return hidden(result, secrets)


def hidden(value: M, secrets: Mapping[str, str]) -> M:
    """The value with every secret in it replaced by its name."""
    named = {secret: f"[secret {name}]" for name, secret in secrets.items() if len(secret) >= SHORTEST_SECRET}
    return type(value).model_validate(_without(value.model_dump(), named)) if named else value


def _without(value: Json, hidden: Mapping[str, str]) -> Json:
    if isinstance(value, str):
        for secret, name in hidden.items():
            value = value.replace(secret, name)
        return value
    if isinstance(value, dict):
        return {_without(key, hidden): _without(item, hidden) for key, item in value.items()}
    return [_without(item, hidden) for item in value] if isinstance(value, list | tuple) else value
