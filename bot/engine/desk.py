"""Decides what an event means: a request, a follow-up, a command, a pressed button, an edit. Others act on it."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from bot.engine import asking
from bot.engine.corrections import Corrections
from bot.engine.greeting import Greeting
from bot.engine.loop_guard import LoopGuard
from bot.engine.reception import AtOnce
from bot.engine.telling import Telling
from bot.engine.uploads import in_words
from kernel.errors import BosunError, StoreError
from kernel.store import inbox, runs
from kernel.types import Dashboard

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bot.engine.adapter import Adapter, Heard
    from bot.engine.asking import Asking
    from bot.engine.commands import Commands
    from bot.engine.held import Held
    from bot.engine.home_tabs import HomeTabs
    from bot.engine.listeners import Listeners
    from bot.engine.presses import Presses
    from bot.engine.requests import Requests
    from bot.engine.signs import Signs
    from bot.engine.uploads import Uploads
    from kernel.clock import Clock, Ids
    from kernel.people import Directory
    from kernel.store import Session, Store
    from kernel.types import Body, Inbound, Person, Place

log = logging.getLogger(__name__)

ANEW = "_It was quiet here for half an hour, so this is a new conversation: I start without what was said before._"
CONTEXT_WITHIN = 2.0  # seconds that reading a thread may hold up the request
CONTEXT_MESSAGES = 40


class Desk:
    """Handles stored events, one channel's after the other."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        ids: Ids,
        directory: Directory,
        adapters: Mapping[str, Adapter],
        requests: Requests,
        commands: Commands,
        presses: Presses,
        signs: Signs,
        held: Held,
        uploads: Uploads,
        listeners: Listeners,
        home_tabs: HomeTabs,
        asking: Asking,
        requests_per_minute: Callable[[], int],
    ) -> None:
        self.store = store
        self.clock = clock
        self.ids = ids
        self.directory = directory
        self.adapters = adapters
        self.requests = requests
        self.commands = commands
        self.presses = presses
        self.signs = signs
        self.held = held
        self.uploads = uploads
        self.listeners = listeners
        self.home_tabs = home_tabs
        self.asking = asking
        self.telling = Telling(clock, adapters)
        self.corrections = Corrections(self.telling)
        self.greeting = Greeting(store, self.telling, asking.suggestions)
        self.guard = LoopGuard(clock, ids, requests_per_minute)
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Take up the messages that wait in a thread when its run ends."""
        self.store.on(runs.ENDED, self._ended)

    def at_once(self, inbound: Inbound) -> AtOnce | None:
        """A mention that opens a thread of its own, and nothing but text in it: the most common event by far."""
        place = self.telling.place(inbound)
        plain = inbound.kind in {"mention", "message"} and inbound.addressed and not inbound.files
        opens = place.thread is not None and place.thread == inbound.message
        if (
            not (plain and opens and inbound.text.strip())
            or inbound.actor.is_external
            or inbound.actor.is_bot
            or inbound.caught_up
            or self.commands.recognise(inbound.text)
        ):
            return None
        person = self.directory.person(inbound.actor)
        if not self.guard.has_turn(person):
            return None

        def work(session: Session, row_id: str) -> runs.NewRun | None:
            return self._begin_or_wait(session, row_id, inbound, person, place, [])

        def then(run: object) -> None:
            self.signs.seen(place, inbound.message)
            if isinstance(run, runs.NewRun):
                self.signs.working(run.id, place, run.request, inbound.actor)

        return AtOnce(work=work, then=then)

    async def handle(self, row_id: str, inbound: Inbound) -> None:
        """Deal with a stored event and settle its row."""
        match inbound.kind:
            case "mention" | "message":
                await self._message(row_id, inbound)
            case "reaction":
                await self._overheard(row_id, inbound, self.directory.person(inbound.actor))
            case "command":
                await self._command(row_id, inbound, private=True)
            case "press":
                await self._pressed(row_id, inbound)
                self.home_tabs.pressed(inbound.actor)
            case "stop":
                await self._stop(row_id, inbound)
            case "edit":
                await self.store.write(lambda session: self.corrections.edited(session, row_id, inbound))
            case "delete":
                await self.store.write(lambda session: self.corrections.deleted(session, row_id, inbound))
            case "home":
                await self.home_tabs.opened(inbound.actor)
                await self.store.write(lambda session: inbox.settle(session, row_id))
            case "joined" | "opened":
                await self.store.write(lambda session: self.greeting.seen(session, row_id, inbound))

    async def failed(self, row_id: str, inbound: Inbound, error: Exception) -> None:
        """Settle the row and say so where the person is."""
        ref = self.ids.short(6)
        log.error("event %s failed with reference %s", row_id, ref)
        text = (
            "**Something went wrong on my side.** Your message is saved and nothing was done with it. "
            f"Send it again, or give an administrator the reference `{ref}`."
        )
        note = f"{type(error).__name__}: {error}"

        def settle(session: Session) -> None:
            if inbox.settle(session, row_id, inbox.FAILED, error=note):
                self.telling.tell(session, f"{row_id}-failed", self.telling.place(inbound), text)

        await self.store.write(settle)

    # -- messages ---------------------------------------------------------------------------------

    async def _message(self, row_id: str, inbound: Inbound) -> None:
        place = self.telling.place(inbound)
        person = self.directory.person(inbound.actor)
        if not inbound.addressed and not await self._for_us(inbound, place):
            await self._overheard(row_id, inbound, person)
            return
        await self.greeting.first_words(inbound)
        if await self._is_request(row_id, inbound, place, person):
            self.signs.seen(place, inbound.message)
            heard = await self._thread(place, inbound)
            await self._take(row_id, inbound, place, person, heard)

    async def _is_request(self, row_id: str, inbound: Inbound, place: Place, person: Person) -> bool:
        """Whether it is to be worked on now; everything else is dealt with here."""
        actor = inbound.actor
        if actor.is_bot and not await self.store.write(lambda session: self.guard.lets(session, actor, place)):
            await self.store.write(lambda session: inbox.settle(session, row_id))
        elif actor.is_external and not actor.is_bot:
            await self._refuse_external(row_id, inbound, place)
        elif inbound.caught_up and await self._answered_as_edit(inbound):
            await self.store.write(lambda session: inbox.settle(session, row_id))
        elif self.commands.recognise(inbound.text) is not None:
            await self._command(row_id, inbound, private=False)
        elif not (inbound.text.strip() or inbound.files):
            told = asking.what_to_say(self.asking.suggestions())
            await self._reply(row_id, place, told, to=None, about=inbound)
        elif self.held.too_old(inbound):
            await self.store.write(lambda session: self.held.hold(session, row_id, inbound, place))
        elif not (inbound.caught_up or actor.is_bot or self.guard.has_turn(person)):
            await self._not_now(row_id, inbound, place, person)
        else:
            return True
        return False

    async def _take(  # noqa: PLR0917  what a request consists of
        self, row_id: str, inbound: Inbound, place: Place, person: Person, heard: list[Heard], shown: str = ""
    ) -> None:
        """Begin a run, or have it wait for the one before. `shown`: what was asked, where no message shows it."""
        taken = await self.uploads.take(inbound, person, self._author(inbound, person)) if inbound.files else []

        def begin(session: Session) -> runs.NewRun | None:
            if shown:
                inbox.replace(session, row_id, inbound)
                self.telling.tell(session, f"{row_id}-asks", place, shown)
            return self._begin_or_wait(session, row_id, inbound, person, place, heard)

        run = await self.store.write(begin)
        unread = in_words(taken)
        if unread:
            await self.store.write(lambda session: self.telling.tell(session, f"{row_id}-files", place, unread))
        if run is not None:
            title = run.request if place.thread == inbound.message else ""
            self.signs.working(run.id, place, title, inbound.actor)

    def _author(self, inbound: Inbound, person: Person) -> Person:
        """Who has written the message that a question is about; of all else, who asks."""
        return person if inbound.about is None else self.directory.person(inbound.about.actor)

    async def _answered_as_edit(self, inbound: Inbound) -> bool:
        """Our mention was edited in while we listened: we said then that it takes a new message."""
        return await self.store.read(lambda session: inbox.was_edited(session, inbound.place, inbound.message))

    async def _overheard(self, row_id: str, inbound: Inbound, person: Person) -> None:
        """What was said or done and is no request: it may begin a workflow."""
        found = await self.listeners.of(inbound, person)

        def settle(session: Session) -> None:
            if inbox.settle(session, row_id):
                self.listeners.begin(session, inbound, row_id, found)

        await self.store.write(settle)

    async def _for_us(self, inbound: Inbound, place: Place) -> bool:
        """A follow-up in a thread that we take part in, unless it opens by addressing somebody else."""
        if inbound.opens_with_other or inbound.actor.is_bot:
            return False
        now = self.clock.now()
        return await self.store.read(lambda session: self.requests.engaged(session, place, now))

    def _begin_or_wait(  # noqa: PLR0917  what a request consists of
        self, session: Session, row_id: str, inbound: Inbound, person: Person, place: Place, heard: list[Heard]
    ) -> runs.NewRun | None:
        new = place.thread is not None and place.thread == inbound.message
        if self.requests.begins_anew(session, place):
            self.telling.tell(session, f"{row_id}-anew", place, ANEW)
        conversation = self.requests.conversation(session, place, new=new)
        if conversation.active_run_id is not None:
            inbox.settle(session, row_id, inbox.WAITING, conversation_id=conversation.id)
            note = f"{conversation.active_run_id}-next"
            self.telling.tell(session, note, place, "I'm still on the last one; I'll take this next.", to=inbound)
            return None
        channel = self.directory.channel_name(place)
        burst = [(row_id, inbound)]
        if not new and inbox.waits(session, conversation.id):  # what came before it and is not taken up yet goes first
            inbox.settle(session, row_id, inbox.WAITING, conversation_id=conversation.id)
            burst = _burst(inbox.waiting(session, conversation.id))
            person = self.directory.person(burst[0][1].actor)
        return self.requests.begin(session, conversation, burst, person=person, channel=channel, heard=heard)

    def _ended(self, conversation_id: str) -> None:
        task = asyncio.create_task(self.take_next(conversation_id))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def take_next(self, conversation_id: str) -> None:
        """What came in while the run was busy becomes the next run, merged, if one person said it all."""
        try:
            if not await self.store.read(lambda session: inbox.waits(session, conversation_id)):
                return
            run = await self.store.write(lambda session: self._begin_waiting(session, conversation_id))
        except BosunError:
            log.exception("conversation %s could not be continued; the next message does it", conversation_id)
            return
        if run is not None:
            self.signs.working(run.id, run.where)

    def _begin_waiting(self, session: Session, conversation_id: str) -> runs.NewRun | None:
        conversation = session.get(runs.Conversation, conversation_id)
        if conversation is None or conversation.active_run_id is not None:
            return None
        waiting = inbox.waiting(session, conversation_id)
        if not waiting:
            return None
        burst = _burst(waiting)
        channel = self.directory.channel_name(conversation.where)
        person = self.directory.person(burst[0][1].actor)
        return self.requests.begin(session, conversation, burst, person=person, channel=channel, heard=[])

    async def take_up_waiting(self) -> None:
        """At start: threads whose run ended while nobody was there to take up what waits."""
        for conversation_id in await self.store.read(inbox.conversations_waiting):
            await self.take_next(conversation_id)

    async def _thread(self, place: Place, inbound: Inbound) -> list[Heard]:
        """What was said in the thread before we joined; an empty list where it cannot be read in time."""
        if place.thread is None or place.thread == inbound.message:
            return []
        known = await self.store.read(lambda session: runs.conversation_at(session, place))
        if known is not None and known.agent is not None:  # what was said since an agent answered first is on record
            return []
        try:
            async with asyncio.timeout(CONTEXT_WITHIN):
                return await self.adapters[place.platform].thread(place, CONTEXT_MESSAGES)
        except (BosunError, TimeoutError) as error:
            log.warning("thread %s could not be read: %s", place, error)
            return []

    async def _refuse_external(self, row_id: str, inbound: Inbound, place: Place) -> None:
        text = "I only work for members of this workspace. Ask one of them to put the request to me."

        def settle(session: Session) -> None:
            if inbox.settle(session, row_id):
                hour = self.clock.now().strftime("%Y%m%d%H")
                self.telling.tell(session, f"external-{inbound.actor.account}-{hour}", place, text, to=inbound)

        await self.store.write(settle)

    async def _not_now(self, row_id: str, inbound: Inbound, place: Place, person: Person) -> None:
        """Others want their turn too."""
        text = (
            f"That was more than {self.guard.requests()} requests within a minute, so I have not taken this one, and "
            "for a minute I take no more from you: others want their turn. Ask again then; commands like `status` and "
            "`stop` work all the time."
        )
        minute = f"{self.clock.now():%Y%m%d%H%M}"

        def settle(session: Session) -> None:
            if inbox.settle(session, row_id):
                self.telling.tell(session, f"not-now-{person.id}-{minute}", place, text, to=inbound)

        await self.store.write(settle)

    # -- everything else --------------------------------------------------------------------------

    async def _command(self, row_id: str, inbound: Inbound, *, private: bool) -> None:
        place = self.telling.place(inbound)
        person = self.directory.person(inbound.actor)
        command = self.commands.recognise(inbound.text)
        text: str | Body
        if command is None:
            text = self.commands.unknown(inbound.text)
        elif inbound.caught_up and self.commands.is_acting(command):
            text = f"I was offline when you said `{inbound.text.strip()[:60]}`. Say it again if you still want it."
        else:
            private = private or (self.commands.is_personal(command) and place.kind != "dm")
            try:
                text = await self.commands.run(command, person, inbound, place)
                if isinstance(text, Dashboard):
                    self.home_tabs.shown(inbound.actor)
            except StoreError:
                raise  # it is done when the database is back
            except BosunError as error:
                text, private = str(error), private or place.kind != "dm"
        await self._reply(row_id, place, text, to=inbound if private else None, about=None if private else inbound)

    async def _asked(self, row_id: str, inbound: Inbound, text: str) -> None:
        """A request that was typed into a dialog: everybody there sees what was asked, and by whom."""
        adapter = self.adapters[inbound.place.platform]
        try:
            asked = await asking.request(inbound, text, adapter)
        except BosunError as error:
            log.info("a message that was asked about could not be read: %s", error)
            await self._reply(row_id, inbound.place, asking.UNREADABLE, to=inbound)
            return
        person, where = self.directory.person(inbound.actor), self.telling.place(asked)
        request = asked.model_copy(update={"place": where, "message": None})  # no message of the person's shows it
        if await self._is_request(row_id, request, where, person):
            link = adapter.permalink(where, asked.message or "")
            shown = asking.shown(request, person, self._author(request, person), link)
            await self._take(row_id, request, where, person, await self._thread(where, request), shown)

    async def _pressed(self, row_id: str, inbound: Inbound) -> None:
        if question := asking.question(inbound):
            await self._asked(row_id, inbound, question)
            return
        text = await self.presses.pressed(inbound, self.directory.person(inbound.actor))
        if isinstance(text, Dashboard):
            self.home_tabs.shown(inbound.actor)
        await self._reply(row_id, inbound.place, text, to=inbound)

    async def _stop(self, row_id: str, inbound: Inbound) -> None:
        try:
            text = await self.commands.stop(self.directory.person(inbound.actor), inbound.actor, inbound.place)
        except StoreError:
            raise
        except BosunError as error:
            text = str(error)
        if await self.store.read(lambda session: runs.active_at(session, inbound.place)) is None:
            self.signs.idle(inbound.place)  # the platform would go on showing work
        await self._reply(row_id, inbound.place, text, to=inbound)

    async def _reply(
        self, row_id: str, place: Place, what: str | Body, *, to: Inbound | None, about: Inbound | None = None
    ) -> None:
        """The event is dealt with, and what came of it is said, to whoever sent `to` alone where it is given.

        `about`: what was said to us, where everybody reads the answer; we take part in the thread that it begins.
        """

        def settle(session: Session) -> None:
            if inbox.settle(session, row_id) and what:
                self.telling.tell(session, f"{row_id}-reply", place, what, to=to)
                if about is not None:
                    self.requests.take_part(session, about, place)

        await self.store.write(settle)


def _burst(waiting: list[inbox.InboxRow]) -> list[tuple[str, Inbound]]:
    """The messages of the person who spoke first; they are answered together."""
    said = [(row.id, row.inbound) for row in waiting]
    return [(row_id, inbound) for row_id, inbound in said if inbound.actor.account == said[0][1].actor.account]
