"""Where commands stand in Discord's menu, whatever their number."""

from itertools import chain

from bot.discord.menu import MOST, REST, arranged
from bot.engine.commands import discover
from bot.engine.text_command import Asked, Office, TextCommand


async def nothing(asked: Asked, office: Office) -> str:
    return ""


def made(count: int, group: str = "") -> list[TextCommand]:
    return [TextCommand(name=f"{group or 'c'}-{n}", shape="x", run=nothing, group=group) for n in range(count)]


def test_every_command_that_ships_has_its_place() -> None:
    commands = discover()
    menu = arranged(commands, taken=1)
    assert sorted(one.name for one in chain(*menu.values())) == sorted(one.name for one in commands)
    assert len(menu[""]) + len(menu) <= MOST  # one entry is `ask`, and the first group is the top itself


def test_what_has_no_room_stands_in_a_group_of_its_own() -> None:
    commands = [*made(30), *made(27, "a"), *made(3, "b"), TextCommand(name="b", shape="b", run=nothing)]
    menu = arranged(commands, taken=1)
    assert {name: len(found) for name, found in menu.items()} == {"": 21, "a": 25, "b": 3, REST: 12}
    assert sorted(one.name for one in chain(*menu.values())) == sorted(one.name for one in commands)


def test_a_group_that_is_called_like_the_rest_is_filled_with_it() -> None:
    menu = arranged([*made(30), *made(2, REST)], taken=1)
    assert {name: len(found) for name, found in menu.items()} == {"": 23, REST: 9}


def test_without_too_many_there_is_no_group_of_the_rest() -> None:
    assert {name: len(found) for name, found in arranged(made(24), taken=1).items()} == {"": 24}
