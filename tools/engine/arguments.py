"""Typed arguments of tools: the base of their models, the schema for the language model, readable refusals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import orjson
from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from tools.engine.failure import CannotDo

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kernel.types import Json

T = TypeVar("T", bound=BaseModel)


def _on_one_line(text: str) -> str:
    if not text.isprintable():
        raise ValueError("has to be one line of visible characters")
    return text


OneLine = Annotated[str, AfterValidator(_on_one_line)]
"""Text that cannot pretend to be more than one entry of a list, nor show itself in another order than it is stored."""


class Arguments(BaseModel):
    """Base of every tool's arguments: closed, immutable and without conversion.

    Nothing is converted, so that what the rules judged is what the tool acts on: "250" is not 250.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def parse(model: type[T], arguments: Mapping[str, Json]) -> T:
    """The arguments as a value of `model`; CannotDo with a sentence for the language model if they do not fit."""
    try:
        if _holds_nul(dict(arguments)):  # which no chat and no Postgres can hold
            raise CannotDo("The arguments do not fit: they contain a NUL character.")
        return model.model_validate_json(orjson.dumps(dict(arguments)))
    except ValidationError as error:
        raise CannotDo(explain(error)) from error
    except TypeError as error:  # not JSON: a number beyond 64 bits, for example
        raise CannotDo(f"The arguments do not fit: {error}.") from error


def _holds_nul(value: Json) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any(map(_holds_nul, (*value, *value.values())))
    return isinstance(value, list | tuple) and any(map(_holds_nul, value))


def explain(error: ValidationError) -> str:
    """What is wrong with which argument. Says nothing of the values: they may come from anywhere."""
    problems = []
    for detail in error.errors(include_url=False, include_context=False, include_input=False):
        where = ".".join(str(part) for part in detail["loc"]) or "the arguments"
        problems.append(f"{where}: {detail['msg'][:1].lower()}{detail['msg'][1:]}")
    return f"The arguments do not fit: {'; '.join(problems[:8])}."


def schema(model: type[BaseModel]) -> dict[str, Any]:
    """The JSON Schema of the arguments, without the titles that pydantic derives from names."""
    return {key: value for key, value in _untitled(model.model_json_schema()).items() if key != "description"}


def undescribed(model: type[BaseModel]) -> list[str]:
    """Names of the arguments that do not say what they mean."""
    return [name for name, field in model.model_fields.items() if not field.description]


def _untitled(node: Any) -> Any:
    if isinstance(node, list):
        return [_untitled(item) for item in node]
    if not isinstance(node, dict):
        return node
    # Below "properties" and "$defs" the keys are names, and an argument may well be called "title".
    return {
        key: {name: _untitled(item) for name, item in value.items()}
        if key in {"properties", "$defs"}
        else _untitled(value)
        for key, value in node.items()
        if not (key == "title" and isinstance(value, str))
    }
