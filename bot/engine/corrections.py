"""Requests that their authors edit or delete: before the work begins that counts, afterwards they are told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel.store import inbox, runs

if TYPE_CHECKING:
    from bot.engine.telling import Telling
    from kernel.store import Session
    from kernel.types import Inbound


class Corrections:
    """Deals with both inside the transaction of the caller."""

    def __init__(self, telling: Telling) -> None:
        self.telling = telling

    def edited(self, session: Session, row_id: str, inbound: Inbound) -> None:
        """Before the work begins the new text counts; afterwards the person is told which text is worked from."""
        inbox.settle(session, row_id)
        original = inbox.by_message(session, inbound.place, inbound.message)
        place = self.telling.place(inbound)
        if original is None:
            if inbound.addressed:  # the mention came with the edit
                text = "I take up messages as they are first sent. Mention me in a new message, and I'll answer."
                self.telling.tell(session, f"{row_id}-new", place, text, to=inbound)
            return
        if original.state == inbox.WAITING:
            inbox.reword(session, original, inbound.text)
            return
        run = session.get(runs.Run, original.run_id) if original.run_id else None
        if run is not None and run.state not in runs.FINAL:
            text = "I'm working from the text before your edit. Reply in the thread to change what I do."
            self.telling.tell(session, f"{run.id}-edited", place, text, to=inbound)

    def deleted(self, session: Session, row_id: str, inbound: Inbound) -> None:
        """Before the work begins the request is withdrawn; afterwards the person is told how to stop it."""
        inbox.settle(session, row_id)
        original = inbox.by_message(session, inbound.place, inbound.message)
        if original is None or inbox.settle(session, original.id, error="deleted by its author"):
            return
        run = session.get(runs.Run, original.run_id) if original.run_id else None
        if run is not None and run.state not in runs.FINAL:
            text = f"You deleted the request that I'm working on ({run.ref}). Say `stop {run.ref}` to end it."
            self.telling.tell(session, f"{run.id}-deleted", inbound.place.in_thread(None), text, to=inbound)
