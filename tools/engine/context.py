"""What a tool is given to work with. Whatever a tool touches comes through here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tools.engine.setup.file import ToolsFile

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from kernel.clock import Clock, Ids
    from kernel.people import WritingDirectory
    from kernel.store import Store
    from kernel.types import RunFacts
    from tools.engine.catalogue import Catalogue
    from tools.engine.drafting import Drafting
    from tools.engine.recall import Recall
    from tools.engine.ruling import Ruling
    from tools.engine.web.settings import WebSettings


@dataclass(frozen=True, kw_only=True)
class ToolContext:
    """The surroundings of one call. The composition root binds the services, the door adds call and facts."""

    call_id: str  # also the idempotency key for services that take one
    facts: RunFacts  # who asked, where, what was read: nothing of it from the model
    store: Store
    clock: Clock
    ids: Ids
    workspace: Path  # the folder of the file tools
    knowledge: Recall
    directory: WritingDirectory
    http: WebSettings
    skills: Path | None = None  # the folder of the charter's skills
    setup: ToolsFile = field(default_factory=ToolsFile)  # tools.yaml as it is in force
    catalogue: Catalogue | None = None  # for the tools that concern tools: undo, review
    drafting: Drafting | None = None  # for the tools that concern workflows
    ruling: Ruling | None = None  # for the tools that concern rules
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)  # set from the permit while the tool runs
