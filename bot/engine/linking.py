"""Linking accounts by a one-time code, so that one human is one person on every platform, and unlinking them."""

from __future__ import annotations

import hashlib
import logging
from collections import deque
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from kernel import ledger
from kernel.errors import NotAllowed, NotFound, PlatformError, RefusedError
from kernel.store import links, outbox
from kernel.store.links import Code, LinkState
from kernel.types import Actor, Text
from rules.engine.merging import merge

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from bot.engine.adapter import Adapter
    from bot.engine.directory import TeamDirectory
    from bot.engine.linked import LinkedAccounts
    from kernel.clock import Clock, Ids
    from kernel.store import Session, Store
    from kernel.types import Person, Place

LENGTH = 8  # characters of a code: 40 bits
VALID = timedelta(minutes=10)
WRONG, WITHIN = 5, timedelta(minutes=10)  # wrong codes of one account, after which no more are looked at
NAMES = {"slack": "Slack", "discord": "Discord", "web": "the web chat"}
ADMIN = "admin"  # the role that sees everybody's links

log = logging.getLogger(__name__)


class Linking:
    """Gives codes out, redeems them, unlinks."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        ids: Ids,
        directory: TeamDirectory,
        linked: LinkedAccounts,
        adapters: Mapping[str, Adapter],
    ) -> None:
        self.store = store
        self.clock = clock
        self.ids = ids
        self.directory = directory
        self.linked = linked
        self.adapters = adapters
        self._wrong: dict[str, deque[datetime]] = {}

    async def offer(self, actor: Actor, place: Place) -> str:
        """A fresh code for this account. NotAllowed for bots, guests and people from outside."""
        _check(actor)
        code = self.ids.short(LENGTH)
        made = Code(digest=_digest(code), actor=actor, place=place, expires_at=self.clock.now() + VALID)
        await self.store.write(lambda session: links.offer(session, made))
        return (
            f"Your code is `{code}`. Tell me `link {code}` from your other account, on another platform, within "
            f"{VALID.seconds // 60} minutes; it counts once. **Give it to nobody:** whoever uses it acts and decides "
            "as you."
        )

    async def look(self, code: str, actor: Actor) -> str:
        """Whose code it is, before it counts."""
        offered = await self._offered(code, actor)
        return (
            f"This code is of the account **{offered.actor.name or offered.actor.user}** on {_on(offered.actor)}. "
            "Once it is linked with yours, both act and decide as one person. "
            f"If that account is your own, say `link {code.upper()} yes`; if not, do nothing."
        )

    async def redeem(self, code: str, actor: Actor) -> str:
        """Link this account with the one that asked for the code."""
        offered = await self._offered(code, actor)
        stays, joins = self._which(offered.actor, actor)
        joining = next((one for one in (actor, offered.actor) if one.account == joins), actor)
        now, name = self.clock.now(), joining.name or joining.user
        link = LinkState(id=self.ids.new(), account=joins, principal=stays, name=name, at=now)
        if not await self.store.write(partial(self._link, link=link, offered=offered, used_by=actor)):
            raise NotFound("The code was used in the same instant. Ask for a new one with `link`.")
        await self.linked.refresh()
        return (
            f"Linked: this account and **{offered.actor.name or offered.actor.user}** on {_on(offered.actor)} are one "
            "person now, with one vote. `links` shows what is linked, `unlink` ends it."
        )

    def _link(self, session: Session, *, link: LinkState, offered: Code, used_by: Actor) -> bool:
        if not links.use(session, offered.digest):
            return False
        links.follow(session, link.account, link.principal)
        if not links.add(session, link):
            return False
        merged = merge(session, link.account, link.principal)
        told = {"principal": link.principal, "asked_by": offered.actor.account, "redeemed_by": used_by.account}
        ledger.append(session, link.at, "account.linked", link.account, {**told, "votes_merged_in": merged})
        text = (
            f"Your account here and **{used_by.name or used_by.user}** on {_on(used_by)} are one person for me now, "
            "with one vote. If that was not you, say `unlink` at once and tell an administrator."
        )
        outbox.put(
            session,
            f"{link.id}-told",
            offered.place,
            Text(markdown=text),
            link.at,
            kind=outbox.NOTICE,
            to=offered.actor,
        )
        return True

    async def unlink(self, platform: str, person: Person, actor: Actor) -> str:
        """Unlink this account, or those of the platform that is named. What was voted stays as it is."""
        mine = [one for one in self.linked.now if one.principal == person.id]
        found = [one for one in mine if _platform(one.account) == platform] if platform else _meant(mine, actor)
        if not mine:
            raise NotFound("None of your accounts is linked here. What people.yaml says, an administrator changes.")
        if not found:
            raise NotFound(f"Which one? Say {' or '.join(f'`unlink {_platform(one.account)}`' for one in mine)}.")
        now = self.clock.now()

        def end(session: Session) -> None:
            for one in found:
                if links.end(session, one.account, now):
                    told = {"principal": one.principal, "by": actor.account}
                    ledger.append(session, now, "account.unlinked", one.account, told)

        await self.store.write(end)
        await self.linked.refresh()
        for one in found:
            if one.account != actor.account:
                await self._tell(one, f"{person.name} has unlinked this account: it is a person of its own again.")
        names = ", ".join(f"{one.name} on {NAMES[_platform(one.account)]}" for one in found)
        return f"Unlinked: {names}. In what was asked before, both still count as one person."

    async def listing(self, person: Person, actor: Actor) -> str:
        """What is linked: one's own accounts; for an administrator, everybody's. Markdown."""
        everybody = await self.directory.holds(person, ADMIN, actor)
        found = [one for one in self.linked.now if everybody or one.principal == person.id]
        if not found:
            return "Nothing is linked. `link` gives you a code for your account on another platform."
        lines = ["| person | account | on | since |", "|---|---|---|---|"]
        for one in found:
            whose = self.directory.by_id(one.principal)
            platform = NAMES.get(_platform(one.account), _platform(one.account))
            name = whose.name if whose else one.principal
            lines.append(f"| {name} | {_cell(one.name)} | {platform} | {one.at:%d %b %Y} |")
        return "\n".join(lines)

    # -- inside -----------------------------------------------------------------------------------

    async def _offered(self, code: str, actor: Actor) -> Code:
        """The code, for somebody who may use it; a refusal says what is wrong."""
        _check(actor)
        now = self.clock.now()
        wrong = self._wrong.setdefault(actor.account, deque(maxlen=WRONG))
        if len(wrong) == WRONG and now - wrong[0] < WITHIN:
            raise NotAllowed("Too many wrong codes. Try again in ten minutes.")
        offered = await self.store.read(lambda session: links.offered(session, _digest(code), now))
        if offered is None:
            wrong.append(now)
            raise NotFound("There is no such code, its ten minutes are over, or it was used. `link` gives a new one.")
        if offered.actor.platform == actor.platform:
            raise RefusedError(f"This code is from {_on(actor)} too. Use it from your account on another platform.")
        return offered

    def _which(self, first: Actor, second: Actor) -> tuple[str, str]:
        """The principal that stays and the one that joins it. Who stands in people.yaml stays."""
        one, other = self.directory.person(first), self.directory.person(second)
        if one.id == other.id:
            raise RefusedError("These accounts are one person already.")
        if one.listed and other.listed:
            raise RefusedError(
                f"people.yaml says that these accounts are two people, {one.name} and {other.name}. "
                "An administrator changes it there."
            )
        return (other.id, one.id) if other.listed else (one.id, other.id)

    async def _tell(self, link: LinkState, text: str) -> None:
        platform, tenant, user = link.account.split(":", 2)
        adapter = self.adapters.get(platform)
        if adapter is None:
            return
        try:
            place = await adapter.direct(Actor(platform=platform, tenant=tenant, user=user, name=link.name))
        except PlatformError as error:
            log.info("%s could not be told that it was unlinked: %s", link.account, error)
            return
        row, now = f"{link.id}-ended", self.clock.now()
        await self.store.write(lambda session: outbox.put(session, row, place, Text(markdown=text), now))


def _check(actor: Actor) -> None:
    if actor.is_bot or actor.is_guest or actor.is_external:
        raise NotAllowed("Only members can link their accounts, no guests and nobody from outside.")


def _meant(mine: list[LinkState], actor: Actor) -> list[LinkState]:
    """The account that is used, if it is a linked one; else the only one there is."""
    used = [one for one in mine if one.account == actor.account]
    return used or (mine if len(mine) == 1 else [])


def _digest(code: str) -> str:
    return hashlib.sha256(code.upper().encode()).hexdigest()


def _platform(account: str) -> str:
    return account.partition(":")[0]


def _on(actor: Actor) -> str:
    return NAMES.get(actor.platform, actor.platform)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")[:60]
