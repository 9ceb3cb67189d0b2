"""`what do you know about`, `where is this from`, `remember`, `memory`, `correct`, `forget`, `knowledge`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.engine import offers
from bot.engine.text_command import TextCommand

if TYPE_CHECKING:
    from bot.engine.text_command import Asked, Office

MEMORY = r"M-[0-9A-Za-z]{4,26}"


async def about(asked: Asked, office: Office) -> str:
    """What is known about something."""
    return await office.knowledge.about(asked.rest, asked)


async def where(asked: Asked, office: Office) -> str:
    """Where the last answer comes from."""
    return await office.knowledge.where_from(asked)


async def remember(asked: Asked, office: Office) -> str:
    """Keep a fact."""
    return await office.knowledge.remember(asked.rest, asked)


async def memory(asked: Asked, office: Office) -> str:
    """List facts."""
    return await office.knowledge.listing(asked.rest, asked)


async def correct(asked: Asked, office: Office) -> str:
    """Replace a fact."""
    return await office.knowledge.correct(asked.words["ref"], asked.rest, asked)


async def forget(asked: Asked, office: Office) -> str:
    """Delete a fact or an upload."""
    return await office.knowledge.forget(asked.rest, asked)


async def sources(asked: Asked, office: Office) -> str:
    """Where knowledge comes from, for this person."""
    return (await office.overview.of(asked.person)).in_words()


TOPIC = "knowledge"
COMMANDS = (
    TextCommand(
        name="what",
        phrase="what do you know about",
        group="know",
        shape=r"what\s+do\s+(?:you|we)\s+know\s+about\s+(?P<rest>.+?)\s*\??",
        run=about,
        usage="refunds",
        place=40,
        does="see what is known about something",
    ),
    TextCommand(
        name="where",
        phrase="where is this from",
        group="know",
        shape=r"where\s+(?:is|was|does)\s+(?:this|that|it)\s+(?:come\s+)?from\s*\??",
        run=where,
        place=41,
        does="see the sources of my last answer in this thread",
    ),
    TextCommand(
        name="remember",
        group="know",
        shape=r"remember(?:\s+that|\s*:)?\s+(?P<rest>[^?]+)",
        run=remember,
        usage="that invoices go to Jo",
        place=42,
        acting=True,
        does="have me keep a fact for those who are here",
    ),
    TextCommand(
        name="memory",
        group="know",
        shape=r"(?:memory|what\s+do\s+you\s+remember)(?:\s+about)?(?:\s+(?P<rest>[^?]+?))?\s*\??",
        run=memory,
        usage="invoices",
        place=43,
        does="list what I remember",
    ),
    TextCommand(
        name="amend",
        offers=offers.memories,
        group="know",
        shape=rf"(?:amend|correct)\s+(?P<ref>{MEMORY})\s*:?\s+(?P<rest>.+)",
        run=correct,
        usage="M-7F3K: invoices go to Kim",
        place=44,
        acting=True,
        does="put another fact in the place of one",
    ),
    TextCommand(
        name="forget",
        offers=offers.memories,
        group="know",
        shape=rf"forget\s+(?P<rest>this|that|it|{MEMORY}|\S*/documents/\S+)",
        run=forget,
        usage="M-7F3K",
        place=45,
        acting=True,
        does="have me forget a fact, or what was remembered in this thread (`forget this`)",
    ),
    TextCommand(
        name="knowledge",
        group="know",
        shape=r"knowledge",
        run=sources,
        place=46,
        personal=True,
        does="see where knowledge comes from, how fresh it is and what could not be read",
    ),
)
