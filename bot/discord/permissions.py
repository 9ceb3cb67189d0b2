"""What Bosun may do on a server: the permissions that it asks for, what each is for, and the link that grants them."""

from __future__ import annotations

import discord

# Permission -> what does not work without it. Exactly these, and no others, are asked for.
NEEDED = {
    "view_channel": "the channel is not seen at all",
    "send_messages": "nothing can be answered in the channel",
    "send_messages_in_threads": "answers come as replies in the channel in place of threads",
    "create_public_threads": "answers come as replies in the channel in place of threads",
    "read_message_history": "what was said before, and during downtime, cannot be read",
    "attach_files": "long answers and payloads cannot be attached",
    "embed_links": "links in answers show no title",
    "add_reactions": "a request gets no sign that it was seen",
}
VITAL = frozenset({"view_channel", "send_messages"})


def wanted() -> discord.Permissions:
    """The permissions that the invitation asks for: 309237763136."""
    return discord.Permissions(**dict.fromkeys(NEEDED, True))


def invitation(application: int, guild: str = "") -> str:
    """The link by which an administrator of a server adds Bosun to it."""
    return discord.utils.oauth_url(
        application,
        permissions=wanted(),
        scopes=("bot", "applications.commands"),
        guild=discord.Object(int(guild)) if guild else discord.utils.MISSING,
    )


def missing(has: discord.Permissions) -> list[str]:
    """Names of the needed permissions that are not there, the vital ones first."""
    if has.administrator:
        return []
    names = [name for name in NEEDED if not getattr(has, name)]
    return sorted(names, key=lambda name: name not in VITAL)
