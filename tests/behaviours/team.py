"""The team that the tests play: who they are on each platform, and the charter that says so."""

from __future__ import annotations

import shutil
from pathlib import Path

import yaml

from tests.fakes.discord import FakeDiscord
from tests.fakes.slack import FakeSlack

CHARTER = Path(__file__).resolve().parents[2] / "charter"

WORKFLOWS = {"digest", "incident"}  # of the starter's, those that the tests play with
SLACK_USERS = {"ann": "U0ANN", "bo": "U0BO", "cy": "U0CY", "dee": "U0DEE", "eve": "U0EVE", "gil": "U0GIL"}
SLACK_CHANNELS = {
    "general": "C0GENERAL",
    "finance": "C0FINANCE",
    "approvals": "C0APPROVALS",
    "bosun": "C0OPERATORS",
}
DISCORD_USERS = {
    person: f"13000000000000000{number:02}" for number, person in enumerate(("ann", "bo", "cy", "dee", "eve", "gil"), 1)
}
DISCORD_CHANNELS = {
    name: f"12000000000000000{number:02}" for number, name in enumerate(("general", "finance", "approvals", "bosun"), 1)
}
STRANGER, GUEST, OUTSIDER, ROBOT = "U0STRANGE", "U0GUEST", "U0OUT", "U0ROBOT"  # not in people.yaml
HELPER = "U0HELPER"  # a bot that the charter lets mention Bosun
DISCORD_STRANGER, DISCORD_GUEST, DISCORD_OUTSIDER, DISCORD_ROBOT, DISCORD_HELPER = (
    f"13000000000000000{number}" for number in range(91, 96)
)

ROLES = {"bo": ["finance"], "cy": ["finance"], "dee": ["admin"], "gil": ["finance"]}
PEOPLE = {
    "people": {
        person: {
            "name": person.capitalize(),
            "web": person,
            "slack": SLACK_USERS[person],
            "discord": DISCORD_USERS[person],
            "roles": ROLES.get(person, []),
        }
        for person in SLACK_USERS
    },
    "roles": {"finance": {"purpose": "Decides about money"}, "admin": {"purpose": "Runs Bosun"}},
}


def write_charter(folder: Path) -> None:
    """The starter charter, with this team in it and with ids on Slack and Discord."""
    shutil.copytree(CHARTER, folder)
    (folder / "people.yaml").write_text(yaml.safe_dump(PEOPLE, sort_keys=False))
    for file in (folder / "workflows").glob("*.yaml"):
        if file.stem not in WORKFLOWS:  # at some hour of the day they would say something between two answers
            file.unlink()
    path = folder / "bosun.yaml"
    team = yaml.safe_load(path.read_text())
    for name, channel in SLACK_CHANNELS.items():
        team["channels"][f"#{name}"] |= {"slack": channel, "discord": DISCORD_CHANNELS[name]}
    team["decisions"] = {"cards_per_hour": 100}  # the tests of a module share a team and an hour
    del team["quiet_hours"]  # at some hour of the day nobody would be reminded
    team["requests_per_minute"] = 1000  # the tests of a module also share its minutes
    team["bots"] = {"slack": [HELPER], "discord": [DISCORD_HELPER]}
    path.write_text(yaml.safe_dump(team, sort_keys=False))


def populate_discord(discord: FakeDiscord) -> None:
    """The same team on a Discord server; Gil has not accepted its rules yet, which makes a guest of him."""
    world = discord.world
    for person, user in DISCORD_USERS.items():
        world.add_member(user, person.capitalize()).pending = person == "gil"
    world.add_member(DISCORD_STRANGER, "Stan")
    world.add_member(DISCORD_GUEST, "Gus").pending = True
    world.add_member(DISCORD_OUTSIDER, "Olga", here=False)
    world.add_member(DISCORD_ROBOT, "Robot", bot=True)
    world.add_member(DISCORD_HELPER, "Helper", bot=True)
    for name, channel in DISCORD_CHANNELS.items():
        world.add_channel(channel, name)


def populate(slack: FakeSlack) -> None:
    """The same team in a Slack workspace, with a guest among them, a colleague whom the charter does not know,
    somebody from another company, and another bot."""
    world = slack.world
    for person, user in SLACK_USERS.items():
        world.add_user(user, person.capitalize(), guest=person == "gil")
    world.add_user(STRANGER, "Stan")
    world.add_user(GUEST, "Gus", guest=True)
    world.add_user(OUTSIDER, "Olga", team="T0ELSE")
    world.add_user(ROBOT, "Robot", bot=True)
    world.add_user(HELPER, "Helper", bot=True)
    everybody = list(world.users)
    for name, channel in SLACK_CHANNELS.items():
        world.add_channel(channel, name, *everybody)
