"""The import contracts of pyproject.toml forbid what the architecture forbids, and allow what it allows."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"

ALLOWED = {
    "bot.engine.app": "import tools.files, agents.engine.loop, workflows.engine.scheduler, rules.engine.door",
    "bot.slack.adapter": "import slack_bolt.async_app, slack_sdk.web",
    "bot.discord.adapter": "import discord",
    "agents.engine.loop": "import rules.engine.door, knowledge.engine.index, kernel.types",
    "agents.engine.anthropic_model": "import anthropic",
    "workflows.engine.scheduler": "import apscheduler.schedulers, rules.engine.door",
    "rules.engine.door": "import tools.files, tools.engine.tool, tools.engine.permit",
    "tools.files": "import tools.engine.tool",
    "tools.engine.mail.server": "import imap_tools, aiosmtplib",
    "tools.engine.mcp.link": "import mcp.client.stdio",
    "tools.engine.calendar.server": "import caldav.lib, sqlglot",
    "tools.engine.permit": "",
    "tools.engine.tool": "import knowledge.engine.index",
    "knowledge.engine.index": "import chromadb, kernel.types",
    "kernel.types": "",
    "kernel.store.tables": "import sqlmodel, sqlalchemy.orm, alembic.op",
    "kernel.engine": "import kernel.replicas, kernel.store.tables",
    "kernel.replicas": "import dbos",
    "kernel.checkpoints": "import cryptography.exceptions",
}
FORBIDDEN = {
    "layers": {"kernel.types": "import knowledge.engine.index"},
    "layers, sideways": {"agents.engine.loop": "import workflows.engine.scheduler"},
    "door, from an agent": {"agents.engine.loop": "import tools.files"},
    "door, from another rule": {"rules.engine.budgets": "import tools.engine.tool"},
    "door, from a platform": {"bot.slack.adapter": "import tools.files"},
    "permit": {"bot.engine.app": "import tools.engine.permit"},
    "slack": {"bot.engine.app": "import slack_sdk"},
    "discord": {"bot.engine.app": "from discord import Client"},
    "anthropic": {"agents.engine.loop": "import anthropic"},
    "chroma": {"bot.engine.app": "import chromadb"},
    "scheduler": {"bot.engine.app": "from apscheduler.triggers import cron"},
    "clients": {"tools.files": "import aiosmtplib"},
    "mailboxes": {"tools.files": "import imap_tools"},
    "tables": {"kernel.engine": "import sqlmodel"},
    "database": {"knowledge.engine.index": "from sqlalchemy import text"},
    "engine": {"kernel.store.tables": "import dbos"},
    "signatures": {"bot.engine.app": "import cryptography"},
}


def lint(folder: Path, modules: dict[str, str]) -> set[str]:
    """Write the modules as a tree, check it, and return the names of the broken contracts."""
    for name, source in modules.items():
        path = folder / (name.replace(".", "/") + ".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source + "\n")
        for package in list(path.relative_to(folder).parents)[:-1]:
            (folder / package / "__init__.py").touch()
    linter = Path(sys.executable).with_name("lint-imports")
    command = [str(linter), "--config", str(PYPROJECT), "--no-cache", "--no-logo"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    broken = set(re.findall(r"^(.+) BROKEN$", done.stdout, re.MULTILINE))
    assert "Contracts:" in done.stdout, done.stdout + done.stderr
    return broken


def name_of(contract: str) -> str:
    found = re.search(rf'id = "{contract.partition(",")[0]}"\nname = "(.+)"', PYPROJECT.read_text())
    assert found is not None
    return found[1]


def test_what_the_architecture_draws_is_allowed(tmp_path: Path) -> None:
    assert lint(tmp_path, ALLOWED) == set()


@pytest.mark.parametrize("contract", FORBIDDEN)
def test_what_it_forbids_breaks_its_contract(tmp_path: Path, contract: str) -> None:
    added = {name: f"{ALLOWED.get(name, '')}\n{source}" for name, source in FORBIDDEN[contract].items()}
    assert lint(tmp_path, ALLOWED | added) == {name_of(contract)}
