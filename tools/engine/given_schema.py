"""Arguments whose JSON Schema somebody else wrote: checked for use with a language model, and checked against."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, ClassVar

import orjson
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError
from pydantic import BaseModel, ConfigDict, model_validator
from referencing import Registry
from referencing.exceptions import Unresolvable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kernel.types import Json

LARGEST = 40_000  # bytes of one schema
DEEPEST = 24  # levels
NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")  # of an argument; what the API of the language model takes
NAMED = frozenset({"properties", "$defs", "definitions", "dependentSchemas"})  # below them the keys are names
UNION = frozenset({"oneOf", "anyOf", "allOf"})
# A pattern can be written so that matching it takes hours; the server that wrote it checks it itself.
UNCHECKED = frozenset({"pattern", "patternProperties", "format", "propertyNames"})


class SchemaUnusable(ValueError):
    """The schema cannot be offered to a language model; the message says why, in our own words."""


class GivenArguments(BaseModel):
    """Base of the arguments of a tool that is not ours: whatever fits the schema, without conversion."""

    model_config = ConfigDict(extra="allow", frozen=True)
    given: ClassVar[dict[str, Any]] = {}
    checked: ClassVar[Draft202012Validator]

    @model_validator(mode="before")
    @classmethod
    def _fits(cls, value: Any) -> Any:
        try:
            for fault in cls.checked.iter_errors(value):
                where = ".".join(str(part) for part in fault.absolute_path)
                raise ValueError(f"{where or 'they'}: does not fit the schema ({fault.validator})")
        except (RecursionError, Unresolvable) as error:
            raise ValueError("the schema of this tool cannot be followed") from error
        return value

    @classmethod
    def model_json_schema(cls, *_args: Any, **_kwargs: Any) -> dict[str, Any]:
        """The schema as it was given."""
        return cls.given


def arguments_of(name: str, schema: Mapping[str, Json]) -> type[GivenArguments]:
    """A model that takes what fits the schema. SchemaUnusable where it can not be offered."""
    check(schema)
    validator = Draft202012Validator(_without(dict(schema)), registry=Registry())  # nothing is fetched for a $ref
    model: type[GivenArguments] = type(
        name, (GivenArguments,), {"given": dict(schema), "checked": validator, "__annotations__": {}}
    )
    return model


def check(schema: Json) -> None:
    """Whether the schema can be offered to a language model; SchemaUnusable says why not."""
    if not isinstance(schema, dict) or schema.get("type") != "object":
        raise SchemaUnusable("its arguments are not described as an object")
    if UNION & schema.keys():
        raise SchemaUnusable("its arguments are described as alternatives, which no model is given")
    _walk(schema, DEEPEST)
    if len(orjson.dumps(schema)) > LARGEST:
        raise SchemaUnusable(f"the description of its arguments is longer than {LARGEST:,} bytes")
    if not all(NAME.fullmatch(name) for name in schema.get("properties", {})):
        raise SchemaUnusable("the name of one of its arguments is not made of letters, digits, '_', '.' and '-'")
    try:
        Draft202012Validator.check_schema(schema)
    except (SchemaError, RecursionError) as error:
        raise SchemaUnusable("the description of its arguments is not a JSON Schema") from error


def _walk(node: Json, levels: int) -> None:
    if levels == 0:
        raise SchemaUnusable("the description of its arguments is nested too deeply")
    if isinstance(node, dict):
        reference = node.get("$ref")
        if isinstance(reference, str) and not reference.startswith("#"):
            raise SchemaUnusable("the description of its arguments refers to another document")
        for key, value in node.items():
            _walk(key, levels)
            _walk(value, levels - 1)
    elif isinstance(node, list):
        for value in node:
            _walk(value, levels - 1)
    elif isinstance(node, str) and not all(c.isprintable() or c in "\n\r\t" for c in node):
        raise SchemaUnusable("the description of its arguments holds invisible characters")


def _without(node: Json) -> Json:
    """The schema without what is not checked here."""
    if isinstance(node, list):
        return [_without(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        key: {name: _without(item) for name, item in value.items()}
        if key in NAMED and isinstance(value, dict)
        else _without(value)
        for key, value in node.items()
        if key not in UNCHECKED
    }
