"""One name for an emoji, however a platform or a file writes it: Slack and people use names, Discord the character."""

from __future__ import annotations

import functools
import unicodedata

from rich.emoji import Emoji

SKIN = dict.fromkeys(range(0x1F3FB, 0x1F400))  # the five skin tones
PRESENTATION = {0xFE0F: None}  # "as a picture": some write it, some do not


@functools.cache
def canonical(emoji: str) -> str:
    """The character, without skin tone; for a name that stands for none, an emoji of the team's own, the name.

    >>> canonical(":+1::skin-tone-2:"), canonical("👍🏽"), canonical("our_logo")
    ('👍', '👍', 'our_logo')
    """
    name = emoji.strip().strip(":").partition("::")[0]
    return _character(name).translate(SKIN | PRESENTATION)


def _character(name: str) -> str:
    found = Emoji.replace(f":{name}:")
    if not found.startswith(":"):
        return found
    try:
        return unicodedata.lookup(name.replace("_", " ")) if name.isascii() else name
    except KeyError:
        return name
