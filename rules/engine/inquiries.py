"""Questions to whoever asked for a call, and their answers; they stand on the card and decide nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel.people import RoleUnknownError
from kernel.store import approvals as rows
from kernel.store import outbox
from kernel.types import Action, Text
from rules.engine import wording, writing
from rules.engine.record import Inquiry, outcome_of, preview_of
from rules.engine.standing import Standings
from rules.engine.wording import Reply, refused

if TYPE_CHECKING:
    from kernel.store import Session
    from kernel.store.approvals import ApprovalState
    from kernel.types import Actor, Person
    from rules.engine.services import Services

LENGTH = (3, 1000)  # characters of a question or an answer
MOST = 10  # questions about one approval


class Inquiries:
    """Takes questions from those who decide, and answers from who asked for the call."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.standings = Standings(services)

    async def ask(self, ref: str, text: str, actor: Actor) -> Reply:
        """Put a question to the requester; it is posted in the thread."""
        row = await self.services.store.read(lambda session: rows.by_ref(session, ref))
        if row is None:
            return refused(wording.unknown(ref))
        person = self.services.directory.person(actor)
        try:
            counts = (await self.standings.of(row, person, actor)).counts
            counts = counts or bool(await self.standings.by_emergency(row, person, actor))
        except RoleUnknownError:
            return refused(wording.cannot_verify())
        if not counts:
            return refused(f"Only those who decide can ask about {row.ref}. Nothing was posted.")
        if complaint := _unfit(text, "question"):
            return refused(complaint)
        return await self.services.store.write(lambda session: self._ask(session, ref, text.strip(), person))

    async def answer(self, ref: str, text: str, actor: Actor) -> Reply:
        """Answer the oldest open question; only who asked for the call can."""
        person = self.services.directory.person(actor)
        if complaint := _unfit(text, "answer"):
            return refused(complaint)
        return await self.services.store.write(lambda session: self._answer(session, ref, text.strip(), person))

    def _ask(self, session: Session, ref: str, text: str, person: Person) -> Reply:
        now = self.services.clock.now()
        row = rows.by_ref(session, ref, lock=True)
        if row is None or row.state != rows.PENDING:
            return refused(wording.closed(row) if row else wording.unknown(ref))
        outcome = outcome_of(row)
        if len(outcome.questions) >= MOST:
            return refused(f"{MOST} questions were asked about {row.ref} already; reject it and say what is missing.")
        question = Inquiry(by=person.name, text=text, at=now)
        writing.note(session, row, outcome.model_copy(update={"questions": (*outcome.questions, question)}))
        writing.tell(session, now, "approval.question", row, person=person.id, text=text)
        writing.redraw(session, row)
        number, preview = len(outcome.questions), preview_of(row)
        by, to, about = map(wording.plain_markdown, (person.name, preview.requester, preview.headline))
        body = Text(
            markdown=f"**{by}** asks {to} about {row.ref}, “{about}”:\n\n> {wording.plain_markdown(text)}\n\n"
            f"Answer with the button, or say `answer {row.ref} …`.",
            actions=(_button(row),),
        )
        outbox.put(session, f"{row.id}-question-{number}", preview.place, body, now, run_id=row.run_id)
        return Reply(text=f"Asked {preview.requester}; the answer will stand on the card.", ok=True)

    def _answer(self, session: Session, ref: str, text: str, person: Person) -> Reply:
        now = self.services.clock.now()
        row = rows.by_ref(session, ref, lock=True)
        if row is None:
            return refused(wording.unknown(ref))
        if person.id != self.services.directory.principal(row.requester):
            return refused(f"Only {preview_of(row).requester}, who asked for it, can answer. Nothing was posted.")
        if row.state != rows.PENDING:
            return refused(wording.closed(row))
        outcome = outcome_of(row)
        open_ = next((n for n, question in enumerate(outcome.questions) if not question.answered_by), None)
        if open_ is None:
            return refused(f"No question about {row.ref} is open.")
        answered = outcome.questions[open_].model_copy(update={"answer": text, "answered_by": person.name})
        questions = (*outcome.questions[:open_], answered, *outcome.questions[open_ + 1 :])
        writing.note(session, row, outcome.model_copy(update={"questions": questions}))
        writing.tell(session, now, "approval.answer", row, person=person.id, text=text)
        writing.redraw(session, row)
        said = Text(
            markdown=f"**{wording.plain_markdown(answered.by)}** asked: {wording.plain_markdown(answered.text)}\n\n"
            f"**{wording.plain_markdown(person.name)}:** {wording.plain_markdown(text)}"
        )
        outbox.revise(session, f"{row.id}-question-{open_}", said)
        return Reply(text="Your answer stands on the card.", ok=True)


def _button(row: ApprovalState) -> Action:
    return Action(subject=row.ref, revision=row.revision, verb="answer", label="Answer…", opens_form=True)


def _unfit(text: str, what: str) -> str:
    if LENGTH[0] <= len(text.strip()) <= LENGTH[1]:
        return ""
    article = "An" if what == "answer" else "A"
    return f"{article} {what} has {LENGTH[0]} to {LENGTH[1]} characters, so nothing was posted."
