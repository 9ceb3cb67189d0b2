"""Files that come with a message: read into the knowledge base, and said what of them was read and what was not."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from kernel.errors import BosunError
from kernel.types import Frozen
from knowledge.upload import upload

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.engine.adapter import Adapter
    from kernel.types import FileRef, Inbound, Person
    from knowledge.engine.knowledge import Knowledge

log = logging.getLogger(__name__)

LARGEST = 20 * 1024 * 1024  # bytes of one file
MOST = 10  # files of one message


class Read(Frozen):
    """What became of one file."""

    name: str
    document: str = ""  # id in the knowledge base
    refused: str = ""  # why it was not read


class Uploads:
    """Reads the files of a message."""

    def __init__(self, knowledge: Knowledge, adapters: Mapping[str, Adapter]) -> None:
        self.knowledge = knowledge
        self.adapters = adapters

    async def take(self, inbound: Inbound, person: Person, author: Person) -> list[Read]:
        """Read every file that can be read, for `person`, as a text of `author`, who has attached it.

        Never raises for what is wrong with a file.
        """
        adapter = self.adapters[inbound.place.platform]
        taken = [await self._one(adapter, file, inbound, person, author) for file in inbound.files[:MOST]]
        return taken + [Read(name=file.name, refused=f"more than {MOST} files") for file in inbound.files[MOST:]]

    async def _one(self, adapter: Adapter, file: FileRef, inbound: Inbound, person: Person, author: Person) -> Read:
        if file.size > LARGEST:
            return Read(name=file.name, refused=f"larger than {LARGEST // 1024 // 1024} MB")
        try:
            data = await adapter.download(file, LARGEST)
            document = await upload(
                file.name,
                data,
                self.knowledge.files,
                key=file.id,
                person=person,
                author=author,
                place=inbound.place,
                at=inbound.about.sent_at if inbound.about is not None else inbound.sent_at,
            )
            added = await self.knowledge.add(document)
        except BosunError as error:
            log.info("file %s was not read: %s", file.name, error)
            return Read(name=file.name, refused=error.message)
        return Read(name=file.name, document=added.document_id)


def in_words(taken: list[Read]) -> str:
    """What was read, for the person: "Read 1 of 2 files. `big.mov` skipped: too large." Empty where all were read."""
    skipped = [f"`{one.name.replace('`', '')}` skipped: {one.refused}" for one in taken if one.refused]
    if not skipped:
        return ""
    read = len(taken) - len(skipped)
    return "\n".join([f"I read {read} of {len(taken)} files.", *(f"- {line}" for line in skipped)])
