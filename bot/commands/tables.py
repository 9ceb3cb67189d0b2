"""`csv`: the tables of an answer for a spreadsheet, also those that are small enough to stand in the message."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from bot.engine.document import files, plain
from bot.engine.document.parse import parse
from bot.engine.text_command import TextCommand
from kernel.errors import NotFound
from kernel.store import outbox, work_done
from kernel.types import Text

if TYPE_CHECKING:
    from bot.engine.text_command import Asked, Office
    from kernel.store import Session

MOST = 10  # tables of one answer


async def run(asked: Asked, office: Office) -> str:
    """The tables of the last answer in this thread, each as a file in it."""
    answer = await office.store.read(lambda session: work_done.last_answer(session, asked.place))
    if answer is None:
        raise NotFound("There is no answer of mine in this thread.", hint="Ask in the thread of the answer.")
    found = plain.tables(parse(Text.model_validate(answer.body).markdown).blocks)[:MOST]
    if not found:
        return f"My last answer in this thread ({answer.ref}) has no table."
    about = hashlib.sha256(asked.inbound.key.encode()).hexdigest()[:20]

    def write(session: Session) -> None:
        for number, table in enumerate(found):
            file = files.table_file(table)
            row_id, content = f"csv-{about}-{number}", file.content.encode("utf-8", "replace")
            outbox.put_file(session, row_id, asked.place, file.name, content, file.title, office.clock.now())

    await office.store.write(write)
    return f"{'The table' if len(found) == 1 else f'The {len(found)} tables'} of {answer.ref}, as CSV:"


COMMANDS = (
    TextCommand(
        name="csv",
        group="know",
        shape=r"(?:(?:show\s+|give\s+me\s+)?(?:this|that|it|the\s+tables?)\s+)?as\s+csv|csv",
        run=run,
        place=46,
        acting=True,
        does="have the tables of my last answer in this thread as CSV",
    ),
)
TOPIC = "knowledge"
