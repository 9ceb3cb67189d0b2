"""The team that the tests play: who they are on each platform, and the charter that says so."""

from __future__ import annotations

import shutil
from pathlib import Path

import yaml

from tests.fakes.slack import FakeSlack

CHARTER = Path(__file__).resolve().parents[2] / "charter"

SLACK_USERS = {"ann": "U0ANN", "bo": "U0BO", "cy": "U0CY", "dee": "U0DEE", "eve": "U0EVE", "gil": "U0GIL"}
SLACK_CHANNELS = {
    "general": "C0GENERAL",
    "finance": "C0FINANCE",
    "approvals": "C0APPROVALS",
    "bosun": "C0OPERATORS",
}
STRANGER, GUEST, OUTSIDER, ROBOT = "U0STRANGE", "U0GUEST", "U0OUT", "U0ROBOT"  # not in people.yaml

PEOPLE = """
people:
  ann: {name: Ann, web: ann, slack: U0ANN}
  bo: {name: Bo, web: bo, slack: U0BO, roles: [finance]}
  cy: {name: Cy, web: cy, slack: U0CY, roles: [finance]}
  dee: {name: Dee, web: dee, slack: U0DEE, roles: [admin]}
  eve: {name: Eve, web: eve, slack: U0EVE}
  gil: {name: Gil, web: gil, slack: U0GIL, roles: [finance]}
roles:
  finance: {purpose: Decides about money}
  admin: {purpose: Runs Bosun}
"""


def write_charter(folder: Path) -> None:
    """The starter charter, with this team in it and with ids on Slack."""
    shutil.copytree(CHARTER, folder)
    (folder / "people.yaml").write_text(PEOPLE)
    path = folder / "bosun.yaml"
    team = yaml.safe_load(path.read_text())
    for name, channel in SLACK_CHANNELS.items():
        team["channels"][f"#{name}"]["slack"] = channel
    path.write_text(yaml.safe_dump(team, sort_keys=False))


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
    everybody = list(world.users)
    for name, channel in SLACK_CHANNELS.items():
        world.add_channel(channel, name, *everybody)
