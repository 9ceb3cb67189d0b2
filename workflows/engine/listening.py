"""Which workflows an event begins: triggers that follow what happens, matched in memory. Pure: no store, no clock."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from workflows.engine.emoji import canonical

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from workflows.engine.definition import Workflow
    from workflows.engine.trigger import Message, Trigger


@dataclass(frozen=True, kw_only=True)
class Match:
    """A workflow that an event begins, if whoever caused it holds the role."""

    workflow: Workflow
    trigger: Trigger
    by: str  # role; empty: every member of the team


def of_message(workflows: Mapping[str, Workflow], channel: str, text: str) -> list[Match]:
    """What a message in `channel` ("#sales") begins."""
    folded = text.casefold()
    return [
        Match(workflow=workflow, trigger=trigger, by=wanted.by)
        for workflow, trigger in _events(workflows)
        if (wanted := trigger.message) is not None and wanted.channel == channel and _fits(wanted, folded)
    ]


def _fits(wanted: Message, folded: str) -> bool:
    if not (wanted.contains or wanted.matches):
        return True
    holds = any(word.casefold() in folded for word in wanted.contains)
    return holds or any(fnmatchcase(folded.strip(), pattern.casefold()) for pattern in wanted.matches)


def of_reaction(workflows: Mapping[str, Workflow], channel: str, emoji: str) -> list[Match]:
    """What an emoji on a message in `channel` begins; `emoji` is its name or the character."""
    given = canonical(emoji)
    return [
        Match(workflow=workflow, trigger=trigger, by=wanted.by)
        for workflow, trigger in _events(workflows)
        if (wanted := trigger.reaction) is not None
        and wanted.channel == channel
        and any(canonical(one) == given for one in wanted.emoji)
    ]


def signs(workflows: Mapping[str, Workflow]) -> list[str]:
    """The emoji that some workflow waits for, as characters; those of a team's own are none."""
    wanted = (canonical(one) for _, trigger in _events(workflows) if trigger.reaction for one in trigger.reaction.emoji)
    return sorted({one for one in wanted if not one.isascii()})


def of_webhook(workflows: Mapping[str, Workflow], name: str) -> list[Match]:
    """What a request to /hooks/`name` begins."""
    return [
        Match(workflow=workflow, trigger=trigger, by="")
        for workflow, trigger in _events(workflows)
        if trigger.webhook is not None and trigger.webhook.name == name
    ]


def globs(workflows: Mapping[str, Workflow]) -> set[str]:
    """The files that some workflow waits for."""
    return {trigger.file.path for _, trigger in _events(workflows) if trigger.file is not None}


def of_file(workflows: Mapping[str, Workflow], path: str) -> list[Match]:
    """What the arrival of a file begins; `path` is relative to the workspace."""
    return [
        Match(workflow=workflow, trigger=trigger, by="")
        for workflow, trigger in _events(workflows)
        if trigger.file is not None and fnmatchcase(path, trigger.file.path)
    ]


def _events(workflows: Mapping[str, Workflow]) -> Iterator[tuple[Workflow, Trigger]]:
    flows: Iterable[Workflow] = workflows.values()
    return ((workflow, trigger) for workflow in flows for trigger in workflow.events)
