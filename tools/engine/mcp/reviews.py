"""What MCP servers offer that nobody has accepted yet: shown to the role that decides, accepted or left out by it."""

from __future__ import annotations

import difflib
import hashlib
import json
from typing import TYPE_CHECKING, Literal

from kernel import ledger
from kernel.errors import NotAllowed, NotFound, OutOfDate
from kernel.people import RoleUnknownError
from kernel.store import mcp as rows
from kernel.store import outbox, wake
from kernel.types import Action, Card, Fact, Payload
from tools.engine.mcp.sign_ins import PREFIX, server_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kernel.clock import Clock, Ids
    from kernel.people import Directory
    from kernel.store import Session, Store
    from kernel.types import Actor, Form, Person, Place, Press
    from tools.engine.mcp.sign_ins import SignIns
    from tools.engine.setup.servers import McpSetup

TOPIC = "mcp"  # woken with the server's name when something was decided
AT_ONCE = 8  # tools on one card


class Reviews:
    """Draws the cards and takes the answers. Every refusal is an error whose sentence is for the person alone."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        ids: Ids,
        directory: Directory,
        where: Callable[[], Place | None],
        *,
        secrets: Mapping[str, str],
        sign_ins: SignIns | None = None,
    ) -> None:
        """`where` is the channel that the cards go to."""
        self.store = store
        self.clock = clock
        self.ids = ids
        self.directory = directory
        self.where = where
        self.sign_ins = sign_ins
        self._secrets = secrets
        self._setup: Mapping[str, McpSetup] = {}

    def configure(self, setup: Mapping[str, McpSetup]) -> None:
        """Take the servers of a tools.yaml."""
        self._setup = setup

    def tell(self, session: Session, server: str) -> None:
        """Show the card of a server, where there is something on it that people were not told of."""
        held, place, subject = self._held(session, server), self.where(), _subject(server)
        if not held:
            _close(session, subject, "Nothing to decide: the server says again what was accepted")
        elif place is not None and rows.tell(session, server, {row.tool: row.digest for row in held}):
            _close(session, subject, "Replaced by a newer card")
            outbox.put(session, self.ids.new(), place, self._card(server, held), self.clock.now(), subject=subject)

    def ask_to_sign_in(self, session: Session, server: str) -> None:
        """Show the card of a server that wants a person to sign in."""
        if self.sign_ins is not None and server in self._setup:
            self.sign_ins.ask(session, server, self._setup[server], self.where())

    async def answer(self, press: Press, person: Person, actor: Actor) -> Form | str:
        """Take the press on a card; what to tell the person privately."""
        signs_in = server_of(press.subject)
        server = signs_in or press.subject.removeprefix(PREFIX).lower()
        setup = self._setup.get(server)
        if setup is None:
            raise NotFound(f"There is no MCP server {server[:30]} in tools.yaml.")
        await self._may_decide(setup.decides, person, actor)
        if signs_in and self.sign_ins is not None:
            return await self.sign_ins.answer(server, setup, self._secrets, person, actor)
        accepts = press.verb == "accept"

        def write(session: Session) -> str:
            held = self._held(session, server)
            if not held or press.revision != _revision(held):
                raise OutOfDate("What the server offers has changed since this card was drawn. Look at the new one.")
            for row in held:
                if accepts:
                    rows.accept(session, server, row.tool, row.digest, person.id)
            names = [row.tool for row in held]
            told = {
                "tools": {row.tool: row.digest for row in held},
                "by": person.id,
                "account": actor.account,
            }
            kind = "mcp.accepted" if accepts else "mcp.left_out"
            ledger.append(session, self.clock.now(), kind, server, told)
            card = self._card(server, held, by=person.name, accepted=accepts)
            for row_id, _ in outbox.open_cards(session, press.subject):
                outbox.revise(session, row_id, card)
            if accepts:
                self.tell(session, server)  # of those that had no room on this card
            wake(session, TOPIC, server)
            return f"{'Accepted' if accepts else 'Left out'}: {', '.join(names)}."

        return await self.store.write(write)

    async def _may_decide(self, role: str, person: Person, actor: Actor) -> None:
        try:
            if person.can_decide and await self.directory.holds(person, role, actor):
                return
        except RoleUnknownError as error:
            raise NotAllowed("I cannot look up your role right now, so nothing was recorded. Try again.") from error
        raise NotAllowed(f"{role} decides which tools are used. Nothing was recorded.")

    def _held(self, session: Session, server: str) -> list[rows.McpTool]:
        """What is to be decided about next."""
        named = self._setup[server].tools if server in self._setup else {}
        return [
            row
            for row in rows.of_server(session, server)
            if row.tool in named and row.digest and row.digest != row.accepted
        ][:AT_ONCE]

    def _card(self, server: str, held: list[rows.McpTool], *, by: str = "", accepted: bool = False) -> Card:
        setup = self._setup[server]
        changed = [row.tool for row in held if row.accepted]
        tone: Literal["waiting", "good", "neutral"] = "good" if accepted else "neutral" if by else "waiting"
        state = f"{'Accepted' if accepted else 'Left out'} by {by}" if by else f"Waiting · {setup.decides} decides"
        return Card(
            headline=f"Review {len(held)} tool{'' if len(held) == 1 else 's'} of the MCP server {server}",
            state=state,
            tone=tone,
            text="What the server says of its tools is told to agents. No agent is told of these before they are "
            "accepted; if the server says something else later, they are held again.",
            facts=(
                Fact(label="Server", value=setup.url or " ".join(setup.command)),
                *(Fact(label=row.tool, value=_meaning(setup, row.tool)) for row in held[:6]),
            ),
            payloads=tuple(_payload(row) for row in held),
            warning=f"Changed after somebody had accepted it: {', '.join(changed)}." if changed and not by else "",
            actions=() if by else _actions(server, held),
            footer=f"{_subject(server)} · tools.yaml says what each tool counts as",
        )


def _close(session: Session, subject: str, why: str) -> None:
    """Nobody can press what is out of date; what was decided stays on its card."""
    for row_id, card in outbox.open_cards(session, subject):
        outbox.revise(session, row_id, card.model_copy(update={"state": why, "tone": "neutral", "actions": ()}))


def _subject(server: str) -> str:
    return f"{PREFIX}{server.upper()}"


def _revision(held: list[rows.McpTool]) -> int:
    """A number for exactly what is shown: a press carries it back."""
    shown = "\0".join(f"{row.tool}={row.digest}" for row in held)
    return int(hashlib.sha256(shown.encode()).hexdigest()[:7], 16)


def _meaning(setup: McpSetup, tool: str) -> str:
    told = setup.tools[tool]
    if told.effect is None:
        return "no effect declared: always asked about"
    prose = f" but {', '.join(told.free_text)}" if told.free_text else ""
    judged = f"acts on {', '.join(told.authority)}" if told.authority else f"every argument{prose} is judged"
    return f"{told.effect}; {judged}"


def _actions(server: str, held: list[rows.McpTool]) -> tuple[Action, ...]:
    subject, revision = _subject(server), _revision(held)
    return (
        Action(subject=subject, revision=revision, verb="accept", label="Accept", style="primary"),
        Action(subject=subject, revision=revision, verb="leave_out", label="Leave out"),
    )


def _payload(row: rows.McpTool) -> Payload:
    now = _literal(row.description, row.arguments)
    if not row.accepted:
        return Payload(title=f"{row.tool} (new)", content=now, language="text", digest=row.digest)
    before = _literal(row.accepted_description, row.accepted_arguments)
    lines = difflib.unified_diff(before.splitlines(), now.splitlines(), "accepted", "now", lineterm="")
    return Payload(title=f"{row.tool} (changed)", content="\n".join(lines), language="diff", digest=row.digest)


def _literal(description: str, arguments: object) -> str:
    shown = json.dumps(arguments, indent=2, sort_keys=True, ensure_ascii=False)
    return f"{description or '[No description.]'}\n\nArguments:\n{shown}"
