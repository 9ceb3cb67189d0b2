"""Workflows that agents draft: checked against the charter, simulated under the rules, in force once approved."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import yaml

from bot.engine.workflow_files import FileProblemError
from kernel import ledger
from kernel.clock import ALPHABET
from kernel.errors import CharterError
from kernel.store import workflows as rows
from tools.engine.drafting import Draft, DraftError
from workflows.engine import wording
from workflows.engine.overview import in_plain_words
from workflows.engine.rehearsal import Rehearser

if TYPE_CHECKING:
    from bot.engine.workflow_files import WorkflowFiles
    from kernel.store import Session
    from kernel.types import RunFacts
    from workflows.engine.definition import Workflow
    from workflows.engine.launch import Launch
    from workflows.engine.situation import Situation

REF_LENGTH = 8  # characters


class WorkflowDrafts:
    """`tools.engine.drafting.Drafting`."""

    def __init__(self, launch: Launch, situation: Situation, files: WorkflowFiles) -> None:
        self.launch = launch
        self.store = launch.store
        self.kinds = situation.kinds
        self.files = files
        self.rehearser = Rehearser(situation)

    async def draft(self, text: str, facts: RunFacts) -> Draft:
        """Check and keep a file."""
        workflow = await self._checked(text)
        row = rows.WorkflowDraft(
            ref=ref_of(text),
            name=workflow.name,
            text=text,
            by=facts.requester.id,
            run_ref=facts.ref,
            at=self.launch.clock.now(),
        )
        await self.store.write(lambda session: rows.keep_draft(session, row))
        return await self._shown(row.ref, text, workflow)

    async def get(self, ref: str, facts: RunFacts) -> Draft:
        """A draft as it stands under the charter and the rules of now."""
        row = await self._row(ref)
        return await self._shown(row.ref, row.text, await self._checked(row.text))

    async def activate(self, ref: str, facts: RunFacts) -> str:
        """Put it in force."""
        row = await self._row(ref)
        await self._checked(row.text)
        try:
            path = await self.files.add(row.name, row.text)
        except FileProblemError as error:
            raise DraftError(error.message) from error

        def write(session: Session) -> None:
            told = {"workflow": row.name, "draft": row.ref, "file": path, "run": facts.ref, "by": row.by}
            ledger.append(session, self.launch.clock.now(), "workflow.activated", row.name, told)

        await self.store.write(write)
        return path

    async def _row(self, ref: str) -> rows.WorkflowDraft:
        row = await self.store.read(lambda session: rows.draft(session, ref))
        if row is None:
            raise DraftError(f"There is no draft {ref}. draft_workflow makes one.")
        return row

    async def _checked(self, text: str) -> Workflow:
        """The workflow in the file, if the charter would take it."""
        name = _name_in(text)
        try:
            charter = await self.files.check({self.files.path_of(name): text.encode()})
        except CharterError as error:
            shown = "\n".join(f"- {problem}" for problem in error.problems[:12])
            raise DraftError(f"The file does not fit the charter:\n{shown}") from error
        return charter.workflows[name]

    async def _shown(self, ref: str, text: str, workflow: Workflow) -> Draft:
        now = self.launch.clock.now()
        fires = wording.next_fires(workflow, now)
        place = self.launch.place(workflow, None)
        rehearsal = await self.rehearser.rehearse(workflow, place, fires[0] if fires else now, reading=False)
        times = "; ".join(wording.at_in(at, workflow.zone) for at in fires)
        return Draft(
            ref=ref,
            name=workflow.name,
            description=workflow.description,
            goes_to=wording.result_goes_to(workflow, self.kinds),
            begins=tuple(wording.begins(workflow)),
            next_times=f"{times} ({workflow.zone})" if times else "",
            words=in_plain_words(workflow, self.kinds, now),
            simulation=rehearsal.in_words(texts=False),
            asked=rehearsal.asked,
            refused=any(line.refused for line in rehearsal.lines),
            text=text,
            replaces=self.files.text_of(workflow.name),
        )


def ref_of(text: str) -> str:
    """The reference of a draft with this text."""
    number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8])
    return "WD-" + "".join(ALPHABET[(number >> (5 * place)) & 31] for place in range(REF_LENGTH))


def _name_in(text: str) -> str:
    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise DraftError(f"The file is not YAML: {error}") from error
    name = found.get("name") if isinstance(found, dict) else None
    if not isinstance(name, str) or not name:
        raise DraftError("The file says no `name`, or is no mapping of words to values.")
    return name
