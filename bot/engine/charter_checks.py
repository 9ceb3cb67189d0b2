"""What the files of a charter say of each other: names that one uses and another has to define."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.engine.charter_files import BosunFile, PeopleFile
    from kernel.yaml_lines import Loc, Located
    from tools.engine.setup.file import ToolsFile

PLATFORMS = ("web", "slack", "discord")


def people_problems(located: Located, file: PeopleFile) -> list[str]:
    """Roles and people that name each other, and accounts that two people claim."""
    problems: list[str] = []
    owners: dict[tuple[str, str], str] = {}
    for key, person in file.people.items():
        at: Loc = ("people", key)
        problems += _unknown(located, (*at, "roles"), "role", person.roles, file.roles)
        if person.delegate is not None and person.delegate.to is not None:
            there = (*at, "delegate", "to")
            problems += _unknown(located, there, "person", (person.delegate.to,), file.people)
            if person.delegate.to == key:
                problems.append(located.problem(there, "nobody can decide for themselves while they are away"))
        for platform, user in person.accounts():
            owner = owners.setdefault((platform, user), key)
            if owner != key:
                message = f"the account {user} is {owner}'s already: one account is one person"
                problems.append(located.problem((*at, platform), message))
    for key, role in file.roles.items():
        problems += _unknown(located, ("roles", key, "members"), "person", role.members, file.people)
    if file.demo:
        for key, person in file.people.items():
            if person.slack or person.discord:
                message = "demo people have web accounts only: remove 'demo: true' before you list real people"
                problems.append(located.problem(("people", key), message))
    return problems


def channel_problems(located: Located, team: BosunFile, people: PeopleFile | None) -> list[str]:
    """Channels that are named but not defined, ids that two channels claim, readers that are no role."""
    problems = _unknown(located, ("operators",), "channel", (team.operators,), team.channels)
    if team.approvals is not None:
        problems += _unknown(located, ("approvals",), "channel", (team.approvals,), team.channels)
    if team.checkpoints is not None:
        problems += _unknown(located, ("checkpoints",), "channel", (team.checkpoints,), team.channels)
    for number, prompt in enumerate(team.prompts):
        if prompt.channel:
            problems += _unknown(located, ("prompts", number, "channel"), "channel", (prompt.channel,), team.channels)
    if people is not None and "freeze" in team.model_fields_set:
        problems += _unknown(located, ("freeze",), "role", team.freeze, people.roles)
    problems += _unknown(located, ("workspaces",), "platform", team.workspaces, PLATFORMS)
    problems += _unknown(located, ("bots",), "platform", team.bots, PLATFORMS[1:])
    owners: dict[tuple[str, str], str] = {}
    for name, channel in team.channels.items():
        at: Loc = ("channels", name)
        if people is not None:
            problems += _unknown(located, (*at, "readers"), "role", channel.readers, people.roles)
        for platform in PLATFORMS:
            channel_id = channel_id_of(team, name, platform)
            owner = owners.setdefault((platform, channel_id), name) if channel_id else name
            if owner != name:
                problems.append(
                    located.problem((*at, platform), f"{channel_id} is the {platform} id of {owner} already")
                )
    return problems


def budget_problems(located: Located, team: BosunFile, people: PeopleFile | None) -> list[str]:
    """Owners that are no role, and budgets that count the same."""
    problems: list[str] = []
    counted = [budget.key for budget in team.budgets]
    for number, budget in enumerate(team.budgets):
        at: Loc = ("budgets", number)
        if people is not None:
            problems += _unknown(located, (*at, "owner"), "role", budget.owner or (), people.roles)
        if budget.key in counted[:number]:
            problems.append(located.problem(at, "there is a budget for the same time and the same people already"))
    return problems


def tools_problems(located: Located, file: ToolsFile, people: PeopleFile) -> list[str]:
    """Roles that decide about the tools of MCP servers and that are no role."""
    return [
        located.problem(("mcp", name, "decides"), f"unknown role '{server.decides}'", server.decides, people.roles)
        for name, server in file.mcp.items()
        if server.decides not in people.roles
    ]


def channel_id_of(team: BosunFile, name: str, platform: str) -> str:
    """The id of a channel on a platform; empty where it is not there."""
    channel = team.channels[name]
    stated = {"web": channel.web, "slack": channel.slack, "discord": channel.discord}[platform]
    return stated or (name.removeprefix("#") if platform == "web" else "")


def _unknown(located: Located, at: Loc, what: str, words: Iterable[str], known: Iterable[str]) -> list[str]:
    known = frozenset(known)
    return [
        located.problem((*at, number), f"unknown {what} '{word}'", word, known)
        for number, word in enumerate(words)
        if word not in known
    ]
