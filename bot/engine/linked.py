"""The accounts that people have linked, as they are remembered in this process; how they are linked is linking.py."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING

from kernel.store import links

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kernel.clock import Clock
    from kernel.store import Store
    from kernel.store.links import LinkState

REMEMBERED = timedelta(days=30)  # for which accounts count as one voter after they were unlinked


class LinkedAccounts:
    """What is linked. `refresh` after every change; another process's change is known within about a second."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.store = store
        self.clock = clock
        self.now: tuple[LinkState, ...] = ()  # the links that hold
        self._principals: Mapping[str, str] = {}
        self._accounts: Mapping[str, tuple[str, ...]] = {}
        self._before: Mapping[str, frozenset[str]] = {}

    async def refresh(self) -> None:
        """Read them again."""
        before = self.clock.now() - REMEMBERED
        found = await self.store.read(lambda session: links.since(session, before))
        accounts: defaultdict[str, list[str]] = defaultdict(list)
        ended: defaultdict[str, set[str]] = defaultdict(set)
        for link in found:
            if link.ended_at is None:
                accounts[link.principal].append(link.account)
            else:
                ended[link.account].add(link.principal)
        self.now = tuple(link for link in found if link.ended_at is None)
        self._principals = {link.account: link.principal for link in self.now}
        self._accounts = {principal: tuple(of) for principal, of in accounts.items()}
        self._before = {account: frozenset(of) for account, of in ended.items()}

    def principal(self, account: str) -> str | None:
        """The person that the account is linked with; None where it is not linked."""
        return self._principals.get(account)

    def accounts_of(self, principal: str) -> tuple[str, ...]:
        """The accounts that are linked with a person."""
        return self._accounts.get(principal, ())

    def before(self, account: str) -> frozenset[str]:
        """The people with whom the account was linked not long ago."""
        return self._before.get(account, frozenset())
