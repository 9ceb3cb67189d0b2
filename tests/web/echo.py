"""A desk that is small enough to see through: it answers every message through outbox rows and asks before it pays."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from bot.engine.adapter import Sign
from bot.engine.home_view import Decision, HomeView, Running, Scheduled, Waiting
from kernel.store import outbox
from kernel.types import (
    Action,
    Actor,
    Body,
    Card,
    Confirm,
    Fact,
    Form,
    FormField,
    Inbound,
    Payload,
    Person,
    Place,
    Press,
    Progress,
    Source,
    Step,
    Text,
)
from tests.fakes.platform import sending

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.web.adapter import WebAdapter
    from kernel.clock import Clock, Ids
    from kernel.store import Session, Store
    from tests.web.team import Team

NEED = 2
REF = "AP-7F3K"
ANSWER, THUMBS = "R-9", "FB-R-9"  # the run of every echo, and the subject of the thumbs below it
NOTE = "It was agreed on the phone, and the delivery note of last Thursday says the same about all three parcels."
CALL = (
    '{\n  "tool": "pay_invoice",\n  "account": "DE89370400440532013000",\n  "amount": %s,\n  "note": "' + NOTE + '"\n}'
)
HOSTILE = """\
<img src=x onerror="document.title='owned'"> <script>document.title='owned'</script>
[click me](javascript:document.title='owned') [and me](data:text/html;base64,PHNjcmlwdD4=) ![pixel](http://127.0.0.1:9/p.png)
<!channel> @everyone @ann <a href="javascript:alert(1)">x</a> <style>*{display:none}</style>

```
never closed **bold
"""


class Payment:
    """The one call that waits for people."""

    def __init__(self) -> None:
        self.revision = 1
        self.amount = "420.00"
        self.votes: dict[str, str] = {}
        self.outcome = ""
        self.tone = "waiting"
        self.executed = 0
        self.thread = Place(platform="web", tenant="local", channel="finance")

    def card(self, clock: Clock, names: dict[str, str]) -> Card:
        """The payment's card as it stands."""
        buttons = () if self.outcome else self._buttons()
        approved = ", ".join(names[one] for one in self.votes)
        waiting = f"Waiting - {len(self.votes)} of {NEED} approvals" + (f" ({approved})" if approved else "")
        return Card(
            headline=f"Pay EUR {self.amount} to ACME GmbH for invoice 1881",
            state=self.outcome or waiting,
            tone=self.tone,
            text="The invoice matches order 1881 and the delivery note of last Thursday.",
            facts=(
                Fact(label="Asked by", value="Ann Meier, through finance"),
                Fact(label="Account", value="DE89 3704 0044 0532 0130 00"),
                Fact(label="Budget left after", value="EUR 1,580 of 2,000"),
                Fact(label="Rule", value="invoice-needs-two: two of finance, not the requester"),
            ),
            payloads=(
                Payload(
                    title="What exactly is called",
                    content=CALL % self.amount,
                    digest="5d41402abc4b2a76b9719d911017c592" * 2,
                ),
                Payload(
                    title="Change to the ledger",
                    language="diff",
                    content="@@ March @@\n- open      420.00\n+ paid      420.00\n  balance 12,430.00",
                ),
            ),
            warning="Cannot be undone." if not self.outcome else "",
            actions=buttons,
            footer=f"{REF} · r{self.revision} · 02 Mar 2026 09:00 UTC",
            expires_at=clock.now() + timedelta(hours=3) if not self.outcome else None,
        )

    def _buttons(self) -> tuple[Action, ...]:
        sure = Confirm(
            title="Pay EUR 420.00?", text="The bank executes this today. It cannot be undone.", label="Approve"
        )
        common = {"subject": REF, "revision": self.revision}
        return (
            Action(verb="approve", label="Approve", style="primary", confirm=sure, **common),
            Action(verb="reject", label="Reject …", style="danger", opens_form=True, **common),
            Action(verb="edit", label="Edit …", opens_form=True, **common),
            Action(verb="why", label="Why was I asked?", **common),
        )


class EchoDesk:
    """Receives what the adapter hands over; `received` holds it all."""

    def __init__(self, *, store: Store, clock: Clock, ids: Ids, team: Team) -> None:
        self.store = store
        self.clock = clock
        self.ids = ids
        self.team = team
        self.adapter: WebAdapter
        self.received: list[Inbound] = []
        self.known: set[str] = set()
        self.payment = Payment()
        self.asked = False
        self.said: dict[str, str] = {}  # person -> verb of the thumb that they pressed
        self.reasons: list[str] = []
        self.go_on = asyncio.Event()  # a streamed answer goes on when it is set
        self.stopped = asyncio.Event()
        self.tasks: set[asyncio.Task[None]] = set()

    async def receive(self, inbound: Inbound) -> None:
        """Take an event once, as the inbox would."""
        if inbound.key in self.known:
            return
        self.known.add(inbound.key)
        self.received.append(inbound)
        task = asyncio.get_running_loop().create_task(self._handle(inbound))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def idle(self) -> None:
        """Wait until everything that was received is dealt with."""
        while self.tasks:
            await asyncio.gather(*self.tasks)

    # -- outbox -------------------------------------------------------------------------------------------------

    async def show(self, place: Place, body: Body, *, subject: str | None = None) -> str:
        """Put a row in the outbox and have it shown."""
        row_id = self.ids.new()
        row = await self._put(row_id, place, body, subject=subject)
        await self.adapter.post(row)
        await self.store.write(lambda session: outbox.delivered(session, row_id, 1, row_id))
        return row_id

    async def revise(self, row_id: str, body: Body) -> None:
        """Change a row and have the message follow."""

        def change(session: Session) -> outbox.Claimed:
            outbox.revise(session, row_id, body)
            return sending(session.get_one(outbox.OutboxRow, row_id))

        await self.adapter.edit(await self.store.write(change))

    async def sign(self, place: Place, kind: str, **extra: str) -> None:
        """Show a reaction or the working state."""
        sign = Sign(where=place, extra=dict(extra))
        await (self.adapter.react(sign) if kind == "reaction" else self.adapter.status(sign))

    async def tell(self, place: Place, person: str, markdown: str) -> None:
        """Show a private notice."""
        to = Actor(platform="web", tenant="local", user=person)
        row = await self._put(self.ids.new(), place, Text(markdown=markdown), kind=outbox.NOTICE, to=to)
        await self.adapter.notice(row)

    async def _put(self, row_id: str, place: Place, body: Body | None, **more: Any) -> outbox.Claimed:
        def put(session: Session) -> outbox.Claimed:
            outbox.put(session, row_id, place, body, self.clock.now(), **more)
            return sending(session.get_one(outbox.OutboxRow, row_id))

        return await self.store.write(put)

    # -- what it does -------------------------------------------------------------------------------------------

    async def _handle(self, inbound: Inbound) -> None:
        if inbound.kind == "press" and inbound.press:
            await self._pressed(inbound, inbound.press)
        elif inbound.kind == "command":
            await self.tell(inbound.place, inbound.actor.user, f"You said `/{inbound.text}`.")
        elif not inbound.opens_with_other:
            await self._answer(inbound)

    async def _answer(self, inbound: Inbound) -> None:
        place = inbound.place
        if place.kind != "dm":
            place = place.in_thread(place.thread or inbound.message)
        await self.sign(place, "reaction", name="eyes", target=inbound.message or "")
        await self.sign(place, "status", state="processing")
        words = inbound.text.lower()
        if "pay" in words:
            await self._ask(place)
        elif "stream" in words:
            await self._stream(place)
        elif "hostile" in words:
            await self.show(place, Text(markdown=HOSTILE))
        else:
            await self._echo(place, inbound)
        state = "suspended" if "pay" in words else "active"
        await self.sign(place, "status", state=state)

    async def _echo(self, place: Place, inbound: Inbound) -> None:
        files = "".join(f"\n- {file.name}, {file.size} bytes" for file in inbound.files)
        await self.show(
            place,
            Text(
                markdown=f"You said: {inbound.text} [1]{files}",
                agent="echo",
                sources=(
                    Source(number=1, title="Handbook", url="/documents/handbook#two", quote="Refunds up to EUR 200."),
                ),
                feedback=ANSWER,
            ),
        )

    async def _ask(self, place: Place) -> None:
        self.asked = True
        self.payment.thread = place
        card = self.payment.card(self.clock, self._names())
        await self.show(place, card, subject=REF)
        await self.show(Place(platform="web", tenant="local", channel="approvals"), card, subject=REF)

    async def _stream(self, place: Place) -> None:
        row_id = await self.show(
            place, Progress(title="Reading the handbook", agent="echo", run="R-1", steps=_steps(1))
        )
        text = ""
        for word in ["Refunds", "up", "to", "EUR", "200", "need", "no", "approval."]:
            text += f"{word} "
            await self.revise(
                row_id, Progress(title="Writing the answer", agent="echo", run="R-1", steps=_steps(3), partial=text)
            )
        waiting = [asyncio.ensure_future(event.wait()) for event in (self.go_on, self.stopped)]
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for future in waiting:
            future.cancel()
        ending = "*Stopped by you. This is what was there.*" if self.stopped.is_set() else "**That is all.**"
        await self.revise(row_id, Text(markdown=f"{text}\n\n{ending}", agent="echo"))

    # -- decisions ----------------------------------------------------------------------------------------------

    async def _pressed(self, inbound: Inbound, press: Press) -> None:
        person = inbound.actor.user
        if press.subject == "R-1":
            self.stopped.set()
            return
        if press.subject == THUMBS:
            await self._voted(inbound.actor, press)
            return
        problem = await self._problem(person, press)
        if problem:
            await self.tell(inbound.place, person, problem)
        elif press.verb in {"reject", "edit"} and not press.fields:
            await self.adapter.open_form(press.trigger or "", self._form(press))
        else:
            await self._decide(person, press)

    async def _voted(self, actor: Actor, press: Press) -> None:
        """Keep what somebody says of an answer, and ask why where it did not help."""
        if press.verb == "reason":
            self.reasons.append(press.fields["reason"])
            return
        verb = "" if press.verb == "withdraw" else press.verb
        self.said[actor.user] = verb
        await self.store.write(lambda session: self.adapter.show_vote(session, actor, press.subject, verb))
        if verb == "unhelpful":
            why = FormField(id="reason", label="What was missing or wrong?", multiline=True, required=False)
            form = Form(subject=press.subject, verb="reason", title="What was wrong?", fields=(why,))
            await self.adapter.open_form(press.trigger or "", form)

    async def votes(self, person: Person, refs: Sequence[str]) -> dict[str, str]:
        """What the person said of these answers."""
        verb = self.said.get(person.id)
        return {THUMBS: verb} if verb and ANSWER in refs else {}

    async def _problem(self, person: str, press: Press) -> str:
        if press.verb == "why":
            return "The rule **invoice-needs-two** asks two of finance."
        if not await self.team.holds(self.team.by_id(person) or self.team.people()[0], "finance"):
            return "You can't decide this: it needs **finance**. Nothing was changed."
        if press.revision != self.payment.revision or self.payment.outcome:
            return "This card is out of date."
        return ""

    def _form(self, press: Press) -> Form:
        common = {"subject": press.subject, "revision": press.revision, "verb": press.verb}
        if press.verb == "reject":
            reason = FormField(id="reason", label="Reason", multiline=True, hint="The requester reads this.")
            return Form(title="Reject the payment", fields=(reason,), submit="Reject", **common)
        amount = FormField(id="amount", label="Amount in EUR", value=self.payment.amount)
        target = FormField(
            id="target", label="Type the payee's name", hint="It stands only in the invoice.", required=False
        )
        note = "A change is a new revision: earlier approvals no longer count."
        return Form(title="Edit the payment", fields=(amount, target), submit="Save changes", note=note, **common)

    async def _decide(self, person: str, press: Press) -> None:
        payment, name = self.payment, self._names()[person]
        if press.verb == "reject":
            payment.outcome, payment.tone = f"Rejected by {name}: {press.fields['reason']}", "bad"
        elif press.verb == "edit":
            payment.amount = press.fields["amount"]
            payment.revision += 1
            payment.votes.clear()
        else:
            payment.votes[person] = "approve"
            if len(payment.votes) == NEED:
                names = " and ".join(self._names()[one] for one in payment.votes)
                payment.outcome, payment.tone = f"Approved by {names} - executed", "good"
                payment.executed += 1
        for row in await self.store.read(lambda session: outbox.copies(session, REF)):
            await self.revise(row.id, payment.card(self.clock, self._names()))
        if payment.executed:
            await self.sign(payment.thread, "status", state="active")
            await self.show(payment.thread, Text(markdown=f"Paid EUR {payment.amount} to ACME GmbH.", agent="finance"))

    def _names(self) -> dict[str, str]:
        return {person.id: person.name.split()[0] for person in self.team.people()}

    # -- home ---------------------------------------------------------------------------------------------------

    async def home(self, person: Person) -> HomeView:
        """The dashboard: the payment, for those who may decide it."""
        if not self.asked:
            return HomeView()
        link = self.adapter.permalink(self.payment.thread, "")
        if self.payment.outcome:
            done = Decision(
                title="Pay EUR 420.00 to ACME GmbH for invoice 1881",
                outcome=self.payment.outcome,
                tone=self.payment.tone,
                at=self.clock.now(),
            )
            return HomeView(recent=(done,))
        may = await self.team.holds(person, "finance")
        run = Running(
            ref="R-2",
            title="Pay invoice 1881 of ACME GmbH, which came with the goods on Monday",
            agent="finance",
            requester="Ann",
            state="waiting",
            started_at=self.clock.now(),
        )
        waiting = (Waiting(card=self.payment.card(self.clock, self._names()), link=link.partition("#")[0]),)
        digest = Scheduled(name="digest", description="What was asked " * 12, next="Mon", last="never", startable=True)
        return HomeView(waiting=waiting if may else (), running=(run,), schedules=(digest,))


def _steps(count: int) -> tuple[Step, ...]:
    titles = ("Asking Finance", "Searching the handbook for refunds", "Writing the answer")
    return tuple(
        Step(id=str(number), title=title, status="running" if number == count else "done")
        for number, title in enumerate(titles[:count], 1)
    )
