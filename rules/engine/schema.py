"""Questions about a tool's arguments, answered from their JSON Schema."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kernel.types import Json

PYTHON = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}


def names(schema: Mapping[str, Json]) -> list[str]:
    """The names of the arguments, in order."""
    return list(schema.get("properties", {}))


def paths(schema: Mapping[str, Json]) -> list[str]:
    """The names of the arguments, and of the fields of those that are objects: "event", "event.customer"."""
    found = []
    for name, node in schema.get("properties", {}).items():
        found.append(name)
        inner = [variant for variant in _variants(schema, node) if isinstance(variant.get("properties"), dict)]
        found += [f"{name}.{field}" for variant in inner for field in variant["properties"]]
    return found


def types(schema: Mapping[str, Json], name: str) -> frozenset[str]:
    """JSON types that a value of the argument, or of an entry where it is a list, can have. Empty: any."""
    found = {str(kind) for node in _scalars(schema, schema["properties"][name]) for kind in _kinds(node)}
    return frozenset() if "any" in found else frozenset(found)


def is_list(schema: Mapping[str, Json], name: str) -> bool:
    """Whether the argument is, or can be, a list."""
    return any(node.get("type") == "array" for node in _variants(schema, schema.get("properties", {}).get(name, {})))


def choices(schema: Mapping[str, Json], name: str) -> list[Json]:
    """The values that the argument can have, where the schema lists them; empty where it does not."""
    found: list[Json] = []
    for node in _scalars(schema, schema["properties"][name]):
        if node.get("type") == "null":
            found.append(None)
        elif "const" in node:
            found.append(node["const"])
        elif "enum" in node:
            found += node["enum"]
        else:
            return []
    return found


def admits(kinds: frozenset[str], value: Json) -> bool:
    """Whether a value is of one of the JSON types."""
    if not kinds:
        return True
    if isinstance(value, bool):
        return "boolean" in kinds
    return any(isinstance(value, PYTHON.get(kind, ())) for kind in kinds)


def _kinds(node: Mapping[str, Any]) -> list[str]:
    kind = node.get("type")
    if kind is None:
        if "const" in node or "enum" in node:
            return [_kind_of(value) for value in node.get("enum", [node.get("const")])]
        return ["any"]
    return list(kind) if isinstance(kind, list) else [kind]


def _kind_of(value: Json) -> str:
    if isinstance(value, bool):
        return "boolean"
    return next((name for name, kinds in PYTHON.items() if isinstance(value, kinds)), "any")


def _scalars(schema: Mapping[str, Any], node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for variant in _variants(schema, node):
        if variant.get("type") == "array" and isinstance(variant.get("items"), dict):
            yield from _variants(schema, variant["items"])
        else:
            yield variant


def _variants(schema: Mapping[str, Any], node: Mapping[str, Any], depth: int = 8) -> Iterator[Mapping[str, Any]]:
    """The node with references followed and alternatives spread out."""
    reference = node.get("$ref")
    if isinstance(reference, str) and depth:
        target = schema.get("$defs", {}).get(reference.rpartition("/")[2], {})
        yield from _variants(schema, target, depth - 1)
        return
    alternatives = node.get("anyOf") or node.get("oneOf")
    if alternatives and depth:
        for alternative in alternatives:
            yield from _variants(schema, alternative, depth - 1)
        return
    yield node
