"""What ties the knowledge base to the rest of Bosun: how it is opened, and the charter's sources, kept read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

from agents.engine.eyes import ModelEyes
from knowledge.engine import audience
from knowledge.engine.keeper import Keeper
from knowledge.engine.knowledge import Knowledge
from knowledge.engine.reading import Reader
from knowledge.engine.source_settings import Surroundings
from knowledge.engine.vector_lines import ProcessLine
from knowledge.engine.web_client import WebClient

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from agents.engine.model import Model
    from bot.engine.adapter import Adapter
    from bot.engine.charter import Charter
    from bot.engine.directory import TeamDirectory
    from kernel.clock import Clock, Ids
    from kernel.config import Settings
    from kernel.store import Store
    from kernel.types import Place
    from knowledge.engine.archives import Archive, Listener
    from knowledge.engine.reading import Eyes
    from knowledge.engine.resources import Resources
    from knowledge.engine.vectors import Line


def open_knowledge(
    settings: Settings,
    store: Store,
    charter: Charter,
    secrets: Mapping[str, str],
    *,
    clock: Clock,
    ids: Ids,
    eyes: Eyes | None = None,
    line: Callable[..., Line] = ProcessLine,
) -> Knowledge:
    """The knowledge base with the model that the charter chooses. Of the secrets, the process that embeds gets one."""
    embeddings = charter.sources.embeddings
    return Knowledge(
        store,
        clock,
        ids,
        settings.data / "knowledge",
        settings.chroma_url,
        embedder=embeddings,
        secrets={name: secrets[name] for name in secrets if name == embeddings.key},
        files=Reader(eyes),
        line=line,
    )


def eyes_of(model: Model, store: Store, clock: Clock, directory: TeamDirectory) -> ModelEyes | None:
    """Who looks at pictures: the model that the charter names; nobody where none is configured."""
    if not model.thinks:
        return None
    charter = directory.charter
    return ModelEyes(
        model,
        store,
        clock,
        name=lambda: charter().team.model.default,
        most=lambda: charter().sources.pictures,
        channel=directory.channel_name,
    )


@runtime_checkable
class Remembers(Protocol):
    """A platform whose channels can be sources: it has their history, and tells what happens in them."""

    archive: Archive
    listener: Listener | None


class Knowing:
    """The sources of one installation, kept read while it runs."""

    def __init__(
        self,
        *,
        knowledge: Knowledge,
        store: Store,
        clock: Clock,
        settings: Settings,
        directory: TeamDirectory,
        secrets: Mapping[str, str],
        charter: Callable[[], Charter],
        server: Callable[[str], Resources | None] = lambda _name: None,
    ) -> None:
        """`server` is how an MCP server of tools.yaml is asked for what it offers to read."""
        self._server = server
        self._knowledge, self._store, self._clock = knowledge, store, clock
        self._settings, self._directory, self._secrets, self._charter = settings, directory, secrets, charter
        self._web = WebClient()
        self._adapters: dict[str, Adapter] = {}
        self._started = False
        self.keeper = Keeper(
            knowledge, store, self.around, lambda: self._charter().sources.sources, keeps=self._is_elsewhere
        )

    def start(self) -> None:
        """Read the sources from now on."""
        self._started = True
        for adapter in self._adapters.values():
            self._listen(adapter)
        self.keeper.start()

    def join(self, adapter: Adapter) -> None:
        """A platform is connected: its channels can be sources, from the start on."""
        self._adapters[adapter.platform] = adapter
        if self._started:
            self._listen(adapter)

    def _listen(self, adapter: Adapter) -> None:
        if isinstance(adapter, Remembers):
            adapter.listener = self._knowledge.chats

    async def stop(self) -> None:
        """End."""
        await self.keeper.stop()
        await self._web.close()

    def left_to_a_running_one(self) -> set[str]:
        """Names of the sources that need what it alone is connected to: channels and servers."""
        named = self._charter().sources.sources
        return {
            f"{one.kind}:{one.name}"
            for one in named
            if one.kind in {"chat", "mcp"} or any("#" in reader for reader in one.readers)
        }

    def readers(self) -> dict[str, tuple[str, ...]]:
        """Source -> who reads it; empty for one whose documents each have readers of their own."""
        return {source.name: tuple(source.readers) for source, _every in self.keeper.opened()}

    def around(self) -> Surroundings:
        """What sources are opened with, as it is now."""
        return Surroundings(
            charter=self._charter().folder,
            files=self._knowledge.files,
            web=self._web,
            clock=self._clock,
            store=self._store,
            secret=self._secrets.get,
            resolve=self._resolve,
            places=self._places,
            chats=self._knowledge.chats,
            archives={name: one.archive for name, one in self._adapters.items() if isinstance(one, Remembers)},
            server=self._server,
            work=self._settings.data / "knowledge" / "clones",
        )

    def _is_elsewhere(self, name: str) -> bool:
        """A channel of a platform that is not connected now."""
        kind, _, lane = name.partition(":")
        return kind == "chat" and lane.partition(":")[0] not in self._directory.tenants

    def _places(self, channel: str) -> list[Place]:
        tenants = self._directory.tenants.items()
        found = (self._directory.channel(channel, platform, tenant) for platform, tenant in tenants)
        return [place for place in found if place is not None]

    def _resolve(self, readers: Sequence[str]) -> tuple[str, ...]:
        """Readers as they are stored: a channel of the charter is whoever reads it, on each platform."""
        found: list[str] = []
        for reader in readers:
            places = self._places(reader) if reader.startswith("#") else []
            found += [audience.channel(place) for place in places] if reader.startswith("#") else [reader]
        return tuple(found)
