"""The Slack platform behind the neutral `Adapter`: construction, life cycle, and everything that Bosun shows."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from slack_bolt.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from starlette.responses import Response
from starlette.routing import Route

from bot.engine import connections
from bot.engine.adapter import Capabilities, nobody_waits
from bot.engine.again import insist
from bot.engine.catching_up import CatchingUp
from bot.engine.connections import Reached
from bot.engine.cursors import Cursors
from bot.engine.suggestions import usual
from bot.slack import forms
from bot.slack.archive import SlackArchive
from bot.slack.asks import Asks
from bot.slack.catchup import CatchUp
from bot.slack.groups import Groups
from bot.slack.history import History
from bot.slack.intake import Intake
from bot.slack.messages import Identity, Messages
from bot.slack.outgoing import Outgoing
from bot.slack.people import People
from bot.slack.presses import Presses
from bot.slack.sessions import Sessions
from bot.slack.sockets import Sockets
from bot.slack.web import SlackError, SlackWeb
from kernel.errors import ConfigError

if TYPE_CHECKING:
    from starlette.requests import Request

    from bot.engine.adapter import Awaited, Heard, Receiver, Sign
    from bot.engine.suggestions import Suggestions
    from bot.slack.messages import Engaged
    from bot.slack.settings import SlackSettings
    from kernel.clock import Clock
    from kernel.store.database import Store
    from kernel.store.outbox import Claimed
    from kernel.types import Actor, Dashboard, FileRef, Form, Place
    from knowledge.engine.archives import Listener

REFUSED = frozenset({"account_inactive", "invalid_auth", "not_authed", "token_expired", "token_revoked"})

MINUTE = 60.0  # seconds
log = logging.getLogger("bosun.slack")


class SlackAdapter:
    """One Slack workspace. `engaged` says of a thread whether Bosun takes part in it."""

    platform = "slack"

    outgoing: Reached[Outgoing] = Reached()
    history: Reached[History] = Reached()
    archive: Reached[SlackArchive] = Reached()
    groups: Reached[Groups] = Reached()
    presses: Reached[Presses] = Reached()

    def __init__(
        self,
        settings: SlackSettings,
        store: Store,
        clock: Clock,
        engaged: Engaged,
        suggestions: Suggestions = usual,
        *,
        awaited: Awaited = nobody_waits,
    ) -> None:
        """`suggestions`: what is offered to say, before what can always be said. `awaited`: whether a reaction is."""
        self.settings = settings
        self.suggestions = suggestions
        self.store = store
        self.clock = clock
        self.engaged = engaged
        self.awaited = awaited
        self.capabilities = Capabilities(
            working_state=True,
            edit_interval=1.0,  # of a stream; edits of messages have their own, slower rate in bot.slack.streams
            edit_share=0.7,  # appends: 100 a minute are allowed
            post_interval=settings.post_interval,
            post_burst=settings.post_burst,
        )
        self.me = Identity(team="", user="")
        self.listener: Listener | None = None
        self._app: AsyncApp | None = None
        self._sockets: Sockets | None = None
        self._catching_up = CatchingUp("Slack", self._catch_up)

    @property
    def tenant(self) -> str:
        """The workspace's id; empty until the first connection."""
        return self.me.team

    # -- life cycle -------------------------------------------------------------------------------

    async def start(self, receive: Receiver) -> None:
        """Connect; what was missed is caught up on meanwhile. ConfigError where Slack does not take a token."""
        self.web = SlackWeb(self.settings)
        try:
            self.me = await self._introduce()
            self._assemble(receive)
            if self.settings.mode == "socket":
                self._sockets = Sockets(
                    self._bolt(), self.settings.app_token, self.settings.sockets, after_gap=self._catching_up.begin
                )
                await self._sockets.open()
        except BaseException:
            await self.stop()
            connections.forget(self)
            raise
        self._catching_up.begin()

    async def stop(self) -> None:
        """Disconnect. What arrives after this is not acknowledged, so Slack sends it again."""
        await self._catching_up.stop()
        if self._sockets is not None:
            await self._sockets.close()
            self._sockets = None
        if self._app is not None:
            self._app = None
            self.sessions.stop()
            await self.cursors.stop()
        await self.web.close()

    async def caught_up(self) -> None:
        """Wait until everything that was missed has been handed over."""
        await self._catching_up.done()

    def route(self) -> Route:
        """For the web server in HTTP mode: /slack/events takes events, interactions and commands, signed by Slack."""
        return Route("/slack/events", self._over_http, methods=["POST"])

    async def _over_http(self, request: Request) -> Response:
        body = await request.body()
        if self._app is None or self.settings.mode != "http":
            return Response(status_code=503)
        answer = await self._app.async_dispatch(
            AsyncBoltRequest(body=body.decode("utf-8", "replace"), headers=dict(request.headers))
        )
        return Response(answer.body, answer.status, answer.first_headers_without_set_cookie())

    async def _introduce(self) -> Identity:
        try:
            answer = await self.web.read("auth.test", verb="POST")
        except SlackError as error:
            if error.reason not in REFUSED:
                raise
            raise ConfigError(
                f"Slack does not accept SLACK_BOT_TOKEN ({error.reason}).",
                hint="Install the app again and copy its Bot User OAuth Token.",
            ) from error
        return Identity(
            team=str(answer["team_id"]),
            user=str(answer["user_id"]),
            bot=str(answer.get("bot_id") or ""),
            url=str(answer.get("url") or ""),
        )

    def _assemble(self, receive: Receiver) -> None:
        self.people = People(self.web, self.clock)
        self.people.team = self.me.team
        self.messages = Messages(self.me, self.people, self.engaged, self.settings.bots)
        self.presses = Presses(self.me, self.people)
        self.cursors = Cursors(self.store, self.clock)
        self.sessions = Sessions(self.web, self.suggestions)
        self.outgoing = Outgoing(self.web, self.settings, self.messages, self.presses, self.sessions)
        self.history = History(self.web, self.messages)
        self.archive = SlackArchive(self.web, self.messages, self.permalink, self.settings.read_interval)
        self.groups = Groups(self.web, self.clock, self.me.team)
        self.intake = Intake(
            me=self.me,
            messages=self.messages,
            presses=self.presses,
            asks=Asks(self.outgoing, self.people, self.clock),
            cursors=self.cursors,
            receive=receive,
            awaited=self.awaited,
            groups_changed=self.groups.forget,
            opened=self.sessions.opened,
            overheard=self._overheard,
            left_out=self._left_out,
        )
        self.missed = CatchUp(
            self.web, self.store, self.clock, self.messages, heard=self.intake.heard, cursors=self.cursors
        )
        self._app = self._bolt()

    async def _overheard(self, event: dict[str, Any], external: bool) -> None:
        """Something was said, changed or deleted in a channel; it is kept where the charter wants that."""
        listener = self.listener
        if listener is None or not listener.wants(self.messages.place(event, event, external)):
            return
        told = await self.archive.event(event, external=external)
        if told is not None:
            await listener.told(told)

    def _bolt(self) -> AsyncApp:
        if self._app is not None:
            return self._app
        over_http = self.settings.mode == "http"
        quiet = logging.getLogger("bosun.slack.bolt")
        quiet.setLevel(logging.WARNING)  # below that Bolt logs what people wrote
        return AsyncApp(
            name="bosun",
            logger=quiet,
            client=self.web.client,
            signing_secret=self.settings.signing_secret,
            before_authorize=self.intake,
            request_verification_enabled=over_http,
            ssl_check_enabled=over_http,
            url_verification_enabled=over_http,
            ignoring_self_events_enabled=False,
            attaching_function_token_enabled=False,
            attaching_conversation_kwargs_enabled=False,
        )

    def _left_out(self, minute: int) -> None:
        """Read the history at once, and when the minute is over: each time from a minute before what was heard last."""
        self._catching_up.begin(again_in=minute + MINUTE - self.clock.now().timestamp())

    async def _catch_up(self) -> int:
        return await self.missed.run()

    # -- what is shown ----------------------------------------------------------------------------

    async def post(self, row: Claimed) -> str:
        """Post the row's body and return the message's timestamp."""
        return await self.outgoing.post(row)

    async def edit(self, row: Claimed) -> None:
        """Bring the posted message to the row's body."""
        await self.outgoing.edit(row)

    async def find(self, row: Claimed) -> str | None:
        """The message with the row's id in its metadata, or the file with its name."""
        return await self.outgoing.find(row)

    async def notice(self, row: Claimed) -> None:
        """Show a Text to one person."""
        await self.outgoing.notice(row)

    async def publish_home(self, actor: Actor, value: Dashboard) -> None:
        """Put a person's dashboard into the app's Home tab."""
        await self.outgoing.publish_home(actor, value)

    async def react(self, sign: Sign) -> None:
        """Put a reaction on a message or take it off."""
        await self.outgoing.react(sign)

    async def status(self, sign: Sign) -> None:
        """Show the thread's working state; silently nothing where the workspace has no such thing."""
        await self.outgoing.status(sign)

    async def upload(self, row: Claimed) -> str:
        """Post a file and return its id."""
        return await self.outgoing.upload(row)

    async def open_form(self, trigger: str, form: Form) -> None:
        """Open a dialog for whoever pressed; PlatformError where more than three seconds have passed."""
        view = forms.view(form, *self.presses.opened_from(trigger))
        try:
            await insist(lambda: self.outgoing.web.repeatable("views.open", trigger_id=trigger, view=view))
        except SlackError as error:
            if error.reason != "exchanged_trigger_id":  # the dialog stands: only the answer to the first try was lost
                raise

    # -- what is asked ----------------------------------------------------------------------------

    async def thread(self, place: Place, limit: int = 40) -> list[Heard]:
        """The last messages of the thread, its root first; outside a thread, the last ones of the channel."""
        return await self.history.thread(place, limit)

    async def read(self, place: Place, message: str) -> Heard:
        """That message; TargetGone where it is gone."""
        return await self.history.message(place, message)

    async def download(self, file: FileRef, limit: int) -> bytes:
        """The file's content; ToolError where it is larger than `limit` or is not the file."""
        return await self.outgoing.files.download(file, limit)

    async def group_members(self, group: str) -> frozenset[str]:
        """Account keys of the members of a user group; PlatformError where Slack does not say."""
        return await self.groups.members(group)

    async def may_read(self, place: Place, user: str) -> bool:
        """Whether the account is in the channel; PlatformError where Slack does not say."""
        return await self.history.has_member(place, user)

    async def direct(self, actor: Actor) -> Place:
        """The DM with this account."""
        return await self.outgoing.direct(actor)

    def permalink(self, place: Place, message: str) -> str:
        """A link that opens the message."""
        if not self.me.url:
            return ""
        link = f"{self.me.url.rstrip('/')}/archives/{place.channel}/p{message.replace('.', '')}"
        return f"{link}?thread_ts={place.thread}&cid={place.channel}" if place.thread else link
