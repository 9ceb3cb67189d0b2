"""The APIs of tools.yaml: what is wrong with how they are named, and the tools that their operations become."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.engine.openapi.document import Document, DocumentError, Operation, read
from tools.engine.openapi.made import made

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from tools.engine.setup.servers import ApiSetup
    from tools.engine.tool import Tool


def tools(apis: Mapping[str, ApiSetup], folder: Path, fault: Callable[..., None]) -> Iterator[tuple[str, str, Tool]]:
    """API, operation and tool of every operation that is named. `fault` is told of what cannot be, and where."""
    for api, setup in apis.items():
        try:
            document = read(folder / setup.document)
        except DocumentError as error:
            fault(("apis", api, "document"), f"{setup.document}: {error}")
            continue
        url = setup.url or document.url
        if not url:
            fault(("apis", api), "the document names no server, so 'url' is needed")
            continue
        for name in setup.operations:
            operation = _operation(api, name, document, setup, fault)
            if operation is not None:
                yield api, name, made(api, url, setup, operation)


def _operation(
    api: str, name: str, document: Document, setup: ApiSetup, fault: Callable[..., None]
) -> Operation | None:
    at = ("apis", api, "operations", name)
    if name not in document.names:
        fault(at, f"{setup.document} describes no operation '{name}'", name, document.names)
        return None
    try:
        operation = document.operation(name)
    except DocumentError as error:
        fault(at, str(error))
        return None
    told, known = setup.operations[name], operation.arguments["properties"]
    for word in (*told.authority, *told.free_text):
        if word not in known:
            fault(at, f"{name} has no argument '{word}'", word, tuple(known))
    return operation
