"""`new`: a conversation that knows nothing of what was said before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.engine.text_command import TextCommand
from kernel.store import runs

if TYPE_CHECKING:
    from bot.engine.text_command import Asked, Office
    from kernel.store import Session

THREADS = "Every message outside a thread begins a new conversation already."


async def run(asked: Asked, office: Office) -> str:
    """Forget what was said in a direct message that knows no threads."""
    if asked.place.kind != "dm" or asked.place.thread is not None:
        return THREADS

    def close(session: Session) -> str:
        conversation = runs.conversation_at(session, asked.place, lock=True)
        if conversation is not None and conversation.active_run_id is not None:
            return "I am still working on something here. Say `stop` first, or wait for it."
        if conversation is not None:
            runs.close_conversation(session, conversation.id)
        return "A new conversation. I know nothing of what we said before."

    return await office.store.write(close)


COMMANDS = (
    TextCommand(
        name="new", shape="new", run=run, place=14, acting=True, does="begin a new conversation in a direct message"
    ),
)
