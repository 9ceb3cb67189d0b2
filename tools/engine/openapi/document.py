"""Reading an OpenAPI document: the operations that tools.yaml picks, each with one schema of all its arguments."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal

import yaml

from kernel.types import Frozen, Json
from tools.engine import given_schema

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LARGEST = 5_000_000  # bytes of a document
METHODS = ("get", "put", "post", "delete", "patch", "head", "options")
BODY = "body"  # the argument that is the body of the request
DEEPEST = 20  # levels of references into references


class DocumentError(Exception):
    """The document cannot be used; the message says why."""


class Parameter(Frozen):
    """An argument that is sent in the address or in a header."""

    name: str
    where: Literal["path", "query", "header"]


class Operation(Frozen):
    """Something that the API can do."""

    id: str
    method: str  # "GET"
    path: str  # "/pets/{petId}"
    description: str
    parameters: tuple[Parameter, ...]
    has_body: bool
    arguments: Json  # JSON Schema


class Document:
    """A document as it was read."""

    def __init__(self, content: dict[str, Any]) -> None:
        self._content = content
        self._found = {str(entry["operationId"]): (path, method, entry) for path, method, entry in self._operations()}

    @property
    def names(self) -> tuple[str, ...]:
        """The ids of all operations."""
        return tuple(sorted(self._found))

    @property
    def url(self) -> str:
        """The address of the first server; empty where there is none that stands by itself."""
        servers = self._content.get("servers") or [{}]
        url = servers[0].get("url", "") if isinstance(servers[0], dict) else ""
        return url if str(url).startswith(("https://", "http://")) and "{" not in url else ""

    def operation(self, name: str) -> Operation:
        """The operation; DocumentError where it cannot become a tool."""
        path, method, entry = self._found[name]
        shared = self._content["paths"][path].get("parameters", [])
        declared: dict[tuple[str, str], Any] = {}
        for each in (*shared, *entry.get("parameters", [])):
            known = self._resolved(each)
            declared[known.get("name", ""), known.get("in", "")] = known
        properties: dict[str, Json] = {}
        required: list[str] = []
        parameters = []
        for (key, where), known in declared.items():
            if where == "cookie":
                continue
            if where not in {"path", "query", "header"} or key in properties or key == BODY:
                raise DocumentError(f"{name}: the parameter '{key}' cannot be told from another one")
            parameters.append(Parameter(name=key, where=where))
            properties[key] = _described(known.get("schema", {"type": "string"}), known.get("description", ""))
            if known.get("required") or where == "path":
                required.append(key)
        body = self._body(name, entry)
        if body is not None:
            properties[BODY] = body[0]
            required += [BODY] if body[1] else []
        schema = self._whole({"type": "object", "properties": properties, "required": required})
        try:
            given_schema.check(schema)
        except given_schema.SchemaUnusable as error:
            raise DocumentError(f"{name}: {error}") from error
        text = " ".join(str(entry.get("summary") or entry.get("description") or f"{method.upper()} {path}").split())
        return Operation(
            id=name,
            method=method.upper(),
            path=path,
            description=text[:1000],
            parameters=tuple(parameters),
            has_body=body is not None,
            arguments=schema,
        )

    def _operations(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        for path, item in self._content["paths"].items():
            for method in METHODS:
                entry = item.get(method) if isinstance(item, dict) else None
                if isinstance(entry, dict) and entry.get("operationId"):
                    yield path, method, entry

    def _body(self, name: str, entry: dict[str, Any]) -> tuple[Json, bool] | None:
        if "requestBody" not in entry:
            return None
        body = self._resolved(entry["requestBody"])
        for kind, media in body.get("content", {}).items():
            if kind == "application/json" or kind.endswith("+json"):
                return _described(media.get("schema", {}), "The body of the request"), bool(body.get("required"))
        raise DocumentError(f"{name}: its body is not JSON")

    def _resolved(self, node: Any) -> dict[str, Any]:
        for _ in range(DEEPEST):
            if not isinstance(node, dict):
                raise DocumentError("a parameter or body is not described")
            if "$ref" not in node:
                return node
            node = self._at(str(node["$ref"]))
        raise DocumentError("its references go round in circles")

    def _at(self, reference: str) -> Any:
        if not reference.startswith("#/"):
            raise DocumentError(f"the reference {reference} leads out of the document")
        node: Any = self._content
        for part in reference[2:].split("/"):
            key = part.replace("~1", "/").replace("~0", "~")
            if not isinstance(node, dict) or key not in node:
                raise DocumentError(f"the reference {reference} leads nowhere")
            node = node[key]
        return node

    def _whole(self, schema: dict[str, Json]) -> dict[str, Json]:
        """The schema with everything that it refers to in `$defs`."""
        names: dict[str, str] = {}
        parts: dict[str, Json] = {}

        def moved(node: Json) -> Json:
            if isinstance(node, list):
                return [moved(item) for item in node]
            if not isinstance(node, dict):
                return node
            reference = node.get("$ref")
            if not isinstance(reference, str):
                return _modern({key: moved(value) for key, value in node.items()})
            if reference not in names:
                names[reference] = f"{reference.rsplit('/', 1)[-1]}_{len(names)}" if names else "part"
                parts[names[reference]] = moved(self._at(reference))
            return {"$ref": f"#/$defs/{names[reference]}"}

        whole: dict[str, Json] = moved(schema)
        return {**whole, "$defs": parts} if parts else whole


def read(path: Path) -> Document:
    """The document in this file. DocumentError if it is none of version 3."""
    try:
        if path.stat().st_size > LARGEST:
            raise DocumentError(f"it is larger than {LARGEST:,} bytes")
        text = path.read_text("utf-8")
        content = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
    except OSError as error:
        raise DocumentError(f"it cannot be read: {error.strerror}") from error
    except (ValueError, yaml.YAMLError, RecursionError) as error:
        raise DocumentError("it is neither JSON nor YAML") from error
    if not isinstance(content, dict) or not str(content.get("openapi", "")).startswith("3."):
        raise DocumentError("it is no OpenAPI document of version 3")
    if not isinstance(content.get("paths"), dict):
        raise DocumentError("it describes no paths")
    return Document(content)


def _described(schema: Json, description: str) -> Json:
    if not isinstance(schema, dict) or not description or "$ref" in schema:
        return schema
    return {"description": " ".join(str(description).split())[:500], **schema}


def _modern(schema: dict[str, Json]) -> dict[str, Json]:
    """What version 3.0 writes otherwise than JSON Schema does."""
    if schema.pop("nullable", None) is True and isinstance(schema.get("type"), str):
        schema["type"] = [schema["type"], "null"]
    for bound, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if isinstance(schema.get(exclusive), bool) and schema.pop(exclusive) and bound in schema:
            schema[exclusive] = schema.pop(bound)
    return schema
