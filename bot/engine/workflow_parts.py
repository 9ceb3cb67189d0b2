"""The parts that run workflows, built and connected for one process. Construction only."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from bot.engine.hooks import Hooks
from bot.engine.listeners import Listeners
from bot.engine.sight import may_see
from bot.engine.workflow_channels import WorkflowChannels
from bot.engine.workflow_commands import WorkflowCommands
from bot.engine.workflow_drafts import WorkflowDrafts
from bot.engine.workflow_files import WorkflowFiles
from bot.engine.workflow_pages import WorkflowPages
from bot.engine.workflow_rights import WorkflowRights
from rules.engine.meters import in_force
from workflows.engine.arrivals import Arrivals
from workflows.engine.buttons import Buttons
from workflows.engine.control import Control
from workflows.engine.forms import Forms
from workflows.engine.launch import Launch
from workflows.engine.runner import Runner
from workflows.engine.scheduler import Scheduler
from workflows.engine.situation import Situation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from bot.engine.adapter import Adapter
    from bot.engine.charter_keeper import CharterKeeper
    from bot.engine.directory import TeamDirectory
    from kernel.clock import Clock, Ids
    from kernel.store import Store
    from kernel.types import Place
    from rules.engine.approvals import Approvals
    from rules.engine.door import Door
    from workflows.engine.steps import Kinds


class WorkflowParts:
    """Everything of workflows that the rest of Bosun talks to."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        ids: Ids,
        keeper: CharterKeeper,
        kinds: Kinds,
        directory: TeamDirectory,
        door: Door,
        approvals: Approvals,
        workspace: Path,
        operators: Callable[[], Place | None],
        has_model: bool,
        adapters: Mapping[str, Adapter],
        console: str,
        secret: Callable[[str], str | None],
    ) -> None:
        self.launch = Launch(
            store=store,
            clock=clock,
            ids=ids,
            workflows=lambda: keeper.current.workflows,
            home=directory.home,
            charter=lambda: keeper.current.digest,
        )
        self.situation = Situation(
            store=store,
            clock=clock,
            ids=ids,
            kinds=kinds,
            directory=lambda: directory,
            rights=WorkflowRights(
                door,
                approvals,
                lambda: in_force(door.services.rules.current.rules, keeper.current.team.budgets),
            ),
            begin=self.launch,
            has_model=has_model,
            channels=WorkflowChannels(adapters, directory, console),
        )
        self.runner = Runner(self.situation, ended=self.launch.ended, operators=operators)
        self.listeners = Listeners(self.launch, directory, adapters)
        self.hooks = Hooks(self.launch, secret)
        arrivals = Arrivals(self.launch, workspace)
        self.scheduler = Scheduler(self.launch, jobs=(self.launch.take_wanted, self.runner.wake_due, arrivals.look))
        self.forms = Forms(store, clock, directory)
        files = WorkflowFiles(keeper.folder, keeper.check, keeper.look)
        self.control = Control(self.launch, directory, files, functools.partial(may_see, directory))
        self.drafts = WorkflowDrafts(self.launch, self.situation, files)
        self.buttons = Buttons(self.control)
        self.commands = WorkflowCommands(self.launch, self.situation, directory, self.control)
        self.pages = WorkflowPages(self.commands)
