"""Whether an answer helped: the two buttons below it, the dialog for the reason, and keeping what people say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agents.engine.storable import clean
from bot.engine.sight import charter_name
from kernel.errors import NotAllowed, NotFound, RefusedError
from kernel.store import feedback as rows
from kernel.store import outbox, runs
from kernel.types import Action, Form, FormField, Text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.engine.adapter import VoteMarks
    from bot.engine.directory import TeamDirectory
    from kernel.clock import Clock
    from kernel.store import Session, Store
    from kernel.types import Inbound, Person, Place, Press

PREFIX = "FB-"  # of the subject; the run's reference follows
HELPFUL, UNHELPFUL, REASON, WITHDRAW = "helpful", "unhelpful", "reason", "withdraw"  # verbs; REASON is the dialog's
LONGEST = 1000  # characters of a reason: what a dialog takes on every platform
UNKNOWN = "I know no such answer of mine here, so nothing was noted."
TAKE_BACK = "Take it back"


def buttons(ref: str) -> tuple[Action, Action]:
    """The row below the answer of a run: it helped, it did not. Adapters show it as their platform likes it."""
    subject = f"{PREFIX}{ref}"
    return (
        Action(subject=subject, verb=HELPFUL, label="Helpful"),
        Action(subject=subject, verb=UNHELPFUL, label="Not helpful", opens_form=True),
    )


class Feedback:
    """Takes what people say of answers. Of each human the last word counts, whatever accounts they use."""

    def __init__(self, store: Store, clock: Clock, directory: TeamDirectory, marks: Mapping[str, VoteMarks]) -> None:
        """`marks`: the platforms that show people what they said; elsewhere they are told."""
        self.store = store
        self.clock = clock
        self.directory = directory
        self.marks = marks

    async def answer(self, press: Press, person: Person, inbound: Inbound) -> Form | str | Text:
        """Note it; the dialog for the reason, or what to tell the person. NotAllowed, NotFound, RefusedError."""
        actor = inbound.actor
        if actor.is_bot or actor.is_external:
            raise NotAllowed("Only members of this workspace can say whether an answer helped, so nothing was noted.")
        if press.verb not in {HELPFUL, UNHELPFUL, REASON, WITHDRAW}:
            return "This button is out of date."
        reason = clean(press.fields.get("reason", "")).strip()
        if len(reason) > LONGEST:
            raise RefusedError(f"A reason has at most {LONGEST} characters; nothing of it was noted.")
        before = await self.store.write(lambda session: self._note(session, press, person, inbound, reason))
        if press.verb == UNHELPFUL:
            return self._form(press.subject, inbound.place, before)
        if inbound.place.platform in self.marks:
            return ""
        if press.verb == WITHDRAW:
            return "Taken back: nothing of you is noted about that answer."
        took = "it helped you." if press.verb == HELPFUL else "it did not help you. Thank you for saying so."
        back = Action(subject=press.subject, verb=WITHDRAW, label=TAKE_BACK)
        return Text(markdown=f"Noted about that answer: {took}", actions=(back,))

    def _note(self, session: Session, press: Press, person: Person, inbound: Inbound, reason: str) -> str:
        """Keep it, or forget what was said before; returns the reason that was given before."""
        run = _answered(session, press.subject.removeprefix(PREFIX), inbound.place)
        if run is None:
            raise NotFound(UNKNOWN)

        def is_them(known: str) -> bool:
            return self.directory.principal(known) == person.id

        known = rows.of_person(session, run.id, is_them)
        before = known.reason if known is not None else ""
        if press.verb == WITHDRAW:
            rows.withdraw(session, run.id, is_them)
        else:
            kept = {HELPFUL: "", UNHELPFUL: before, REASON: reason}[press.verb]
            said = rows.Feedback(
                run_id=run.id,
                person=person.id,
                helpful=press.verb == HELPFUL,
                reason=kept,
                at=self.clock.now(),
            )
            rows.say(session, said, is_them)
        shown = self.marks.get(inbound.place.platform)
        if shown is not None:
            verb = {HELPFUL: HELPFUL, WITHDRAW: ""}.get(press.verb, UNHELPFUL)
            shown.show_vote(session, inbound.actor, press.subject, verb)
        return before

    def _form(self, subject: str, place: Place, before: str) -> Form:
        name = charter_name(self.directory, place)
        read_by = (
            f"Whoever reads {name} can read what you write, without your name."
            if name
            else "This conversation is private: of it others see the count alone, and not what you write."
        )
        return Form(
            subject=subject,
            verb=REASON,
            title="What was wrong?",
            note=f"It is noted that this answer did not help you. If you say why, it can be mended. {read_by}",
            unopened="Noted: this answer did not help you. Press the button again to say why.",
            fields=(
                FormField(
                    id="reason",
                    label="What was missing or wrong?",
                    value=before,
                    multiline=True,
                    required=False,
                    max_length=LONGEST,
                ),
            ),
        )

    async def votes(self, person: Person, refs: Sequence[str]) -> dict[str, str]:
        """What this person said of the answers of these runs, by the subject of their buttons."""
        if not refs:
            return {}
        said = await self.store.read(lambda session: rows.of_refs(session, refs))
        return {
            f"{PREFIX}{ref}": HELPFUL if one.helpful else UNHELPFUL
            for ref, one in said
            if self.directory.principal(one.person) == person.id
        }


def _answered(session: Session, ref: str, place: Place) -> runs.Run | None:
    """The run whose answer stands in this channel with buttons below it: who presses there can read it."""
    run = runs.by_ref(session, ref)
    row = session.get(outbox.OutboxRow, run.progress_id) if run is not None and run.progress_id else None
    if run is None or row is None or row.lane != place.lane:
        return None
    body = row.content
    return run if isinstance(body, Text) and body.feedback == run.ref else None
