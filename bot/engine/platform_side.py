"""What an adapter asks of the rest of Bosun: threads, events and messages that are known, suggestions, operators."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.engine import offers
from bot.engine.text_command import Typing
from kernel.store import inbox, outbox
from kernel.types import Text

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from bot.engine.adapter import Awaited
    from bot.engine.directory import TeamDirectory
    from bot.engine.text_command import Office, TextCommand
    from kernel.clock import Clock
    from kernel.store import Session, Store
    from kernel.types import Actor, Inbound, Place


class PlatformSide:
    """Answers for one platform, as things are at the moment of the question."""

    def __init__(
        self,
        platform: str,
        *,
        store: Store,
        clock: Clock,
        directory: TeamDirectory,
        office: Callable[[], Office],
        engaged: Callable[[Place, str], Awaitable[bool]],
        commands: Iterable[TextCommand],
        awaited: Awaited,
    ) -> None:
        self.platform = platform
        self.store = store
        self.clock = clock
        self.directory = directory
        self._office = office
        self._engaged = engaged
        self._commands = {command.name: command for command in commands}
        self.awaited = awaited

    async def engaged(self, place: Place, text: str) -> bool:
        """Whether a message there is for us without a mention."""
        return await self._engaged(place, text)

    async def root_of(self, place: Place, message: str) -> str | None:
        """The thread for which this message of ours was posted; None for a message that is not ours."""
        row = await self.store.read(lambda session: outbox.by_remote(session, self.platform, place.lane, message))
        return None if row is None else row.where.thread

    async def event_of(self, message: str) -> Inbound | None:
        """The event that brought this message; None where none did."""

        def look(session: Session) -> Inbound | None:
            row = inbox.of_message(session, self.platform, message)
            return None if row is None else row.inbound

        return await self.store.read(look)

    async def taken(self, lane: str, messages: list[str]) -> frozenset[str]:
        """Those of the messages that outbox rows are known to have brought."""
        return await self.store.read(lambda session: outbox.known_remote(session, lane, messages))

    async def suggest(self, kind: str, actor: Actor, place: Place, typed: str) -> list[str]:
        """What may stand behind the command `kind` (or as "agent"), for somebody who has typed so much there."""
        offered = offers.agents if kind == "agent" else self._commands[kind].offers
        if offered is None:
            return []
        typing = Typing(person=self.directory.person(actor), actor=actor, place=place)
        begun = typed.strip().lower()
        return [one for one in await offered(typing, self._office()) if begun in one.lower()][: offers.MOST]

    async def tell_operators(self, key: str, text: str) -> None:
        """Say something in the operators' channel, once for each key."""
        place = self.directory.home(self.directory.charter().team.operators, self.platform)
        if place is not None:
            now = self.clock.now()
            await self.store.write(lambda session: outbox.put(session, key, place, Text(markdown=text), now))

    def accounts(self) -> Iterable[str]:
        """Accounts on this platform of the people whom the charter lists."""
        people = self.directory.charter().people.values()
        return (user for person in people for platform, user in person.accounts() if platform == self.platform)

    def commands(self) -> Iterable[TextCommand]:
        """The text commands."""
        return self._commands.values()
