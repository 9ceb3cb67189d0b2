"""What newcomers read first: once for each person in their direct messages, and for each channel that invites us."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.engine.asking import FEW, prompts
from bot.engine.home_settings import FIRST
from kernel.store import inbox
from kernel.types import Text

if TYPE_CHECKING:
    from bot.engine.suggestions import Suggestions
    from bot.engine.telling import Telling
    from kernel.store import Session, Store
    from kernel.types import Inbound

WELCOME = """\
Hello, I'm Bosun. I work for this team: mention me with a question or a task and I answer in a thread.
I read the team's own documents, say where things stand, and use tools. Anything risky waits for a person to approve.
I keep what is said to me; what you say to others only in channels that the team made part of what I know.

Try: *What is our refund policy?* · *What needs my approval?* · `help`. \
`home` shows where things stand; `link` makes your accounts on other platforms one with this one.
"""


INVITED = """\
Hello, I'm Bosun. Mention me here with a question or a task, and I answer in a thread; anything risky waits for a person
to approve. Of what you say to each other I keep nothing, unless the team made this channel part of what I know. \
`help` lists what I understand.
"""


class Greeting:
    """Says hello once; who was greeted is seen in the outbox."""

    def __init__(self, store: Store, telling: Telling, suggestions: Suggestions) -> None:
        self.store = store
        self.telling = telling
        self.suggestions = suggestions
        self._met: set[str] = set()  # accounts

    def seen(self, session: Session, row_id: str, inbound: Inbound) -> None:
        """Somebody looks at their direct messages, where the platform says so, or has invited us to a channel."""
        looks = inbound.kind == "opened"
        key = inbound.actor.account if looks else inbound.place.lane
        if inbox.settle(session, row_id) and not inbound.actor.is_bot:  # a bot that invites us is not greeted
            said = Text(markdown=WELCOME, actions=FIRST) if looks else INVITED
            self.telling.tell(session, f"welcome-{key}", inbound.place, said)

    async def first_words(self, inbound: Inbound) -> None:
        """A member writes to us directly: with what can be said as buttons, where the platform has no place for it."""
        actor, place = inbound.actor, inbound.place
        suggests = self.telling.adapters[place.platform].capabilities.opens
        if place.kind != "dm" or suggests or actor.is_bot or actor.is_external or actor.account in self._met:
            return
        body = Text(markdown=WELCOME, actions=(*prompts(self.suggestions(), FEW), *FIRST))
        await self.store.write(lambda session: self.telling.tell(session, f"welcome-{actor.account}", place, body))
        self._met.add(actor.account)
