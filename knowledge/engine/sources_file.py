"""charter/knowledge/sources.yaml as one value: what is read beside the folder itself, and which model embeds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field, ValidationError

from kernel import yaml_lines
from kernel.errors import CharterError
from kernel.types import Frozen
from knowledge.engine.audience import TEAM, is_reader
from knowledge.engine.embedding import EmbeddingChoice
from knowledge.engine.kinds import discover
from knowledge.engine.source_settings import SourceSettings

if TYPE_CHECKING:
    from collections.abc import Collection

    from kernel.yaml_lines import Located

PATH = "knowledge/sources.yaml"
PICTURES = 200


class _Words(Frozen):
    """The file as it is written; each source is read by its kind."""

    embeddings: EmbeddingChoice = EmbeddingChoice()
    pictures: int = Field(default=PICTURES, ge=0, le=100_000)
    sources: tuple[dict[str, Any], ...] = ()


class SourcesFile(Frozen):
    """What the charter says of knowledge."""

    embeddings: EmbeddingChoice = EmbeddingChoice()
    pictures: int = PICTURES  # that a language model looks at in a day
    sources: tuple[SourceSettings, ...] = Field(default=())

    def secrets(self) -> frozenset[str]:
        """The names of the secrets that the file names."""
        named = {self.embeddings.key} | {
            str(getattr(source, word, "")) for source in self.sources for word in ("password", "token")
        }
        return frozenset(filter(None, named))


def load(
    text: str,
    *,
    roles: Collection[str] | None,
    channels: Collection[str],
    people: Collection[str],
    servers: Collection[str] | None = None,
) -> SourcesFile:
    """The file. CharterError with every problem, each with its line: unknown words, kinds, roles, channels, people.

    `servers` are the MCP servers of tools.yaml; None where nobody can tell.
    """
    if not any(line.strip() and not line.strip().startswith("#") for line in text.splitlines()):
        return SourcesFile()
    located = yaml_lines.load(PATH, text)
    words = yaml_lines.parse(located, _Words)
    problems: list[str] = []
    sources: list[SourceSettings] = []
    names: set[str] = set()
    for number, entry in enumerate(words.sources):
        found = _source(located, number, entry, problems)
        if found is None:
            continue
        if found.name in names:
            problems.append(located.problem(("sources", number, "name"), f"there is a source '{found.name}' already"))
        names.add(found.name)
        problems += _reader_problems(located, number, found, roles=roles, channels=channels, people=people)
        for position, owner in enumerate(getattr(found, "calendars", ())):
            if owner != TEAM and owner not in people:
                wrong = f"no calendar of '{owner}': write team or a person's id"
                problems.append(located.problem(("sources", number, "calendars", position), wrong, owner, people))
        server = getattr(found, "server", "") if found.kind == "mcp" else ""
        if server and servers is not None and server not in servers:
            at = ("sources", number, "server")
            problems.append(located.problem(at, f"tools.yaml has no MCP server '{server}'", server, servers))
        sources.append(found)
    if problems:
        raise CharterError(problems)
    return SourcesFile(embeddings=words.embeddings, pictures=words.pictures, sources=tuple(sources))


def _source(located: Located, number: int, entry: dict[str, Any], problems: list[str]) -> SourceSettings | None:
    kinds = discover()
    kind = entry.get("kind")
    if not isinstance(kind, str) or kind not in kinds:
        said = f"unknown kind of source '{kind}'" if kind else "'kind' is missing: what this source is"
        problems.append(located.problem(("sources", number, "kind"), said, str(kind or ""), kinds))
        return None
    try:
        return kinds[kind].settings.model_validate(entry)
    except ValidationError as error:
        problems += yaml_lines.faults(located, kinds[kind].settings, error, at=("sources", number))
        return None


def _reader_problems(
    located: Located,
    number: int,
    source: SourceSettings,
    *,
    roles: Collection[str] | None,
    channels: Collection[str],
    people: Collection[str],
) -> list[str]:
    problems = []
    for position, reader in enumerate(source.readers):
        at = ("sources", number, "readers", position)
        what, _, name = reader.partition(":")
        if reader.startswith("#"):
            if reader not in channels:
                problems.append(located.problem(at, f"unknown channel '{reader}'", reader, channels))
        elif what == "role" and roles is not None and name not in roles:
            problems.append(located.problem(at, f"unknown role '{name}'", name, roles))
        elif what == "person" and name not in people:
            problems.append(located.problem(at, f"unknown person '{name}'", name, people))
        elif not is_reader(reader):
            message = f"'{reader}' is no reader: write team, \"#channel\", role:NAME or person:ID"
            problems.append(located.problem(at, message))
    return problems
