"""People, roles and channels as the charter in force and the platforms' groups say: `kernel.people.Directory`."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from bot.engine.charter_checks import PLATFORMS, channel_id_of
from bot.engine.charter_files import minutes_of
from kernel.errors import PlatformError
from kernel.people import Away, Role, RoleUnknownError
from kernel.types import Actor, Person, Place

if TYPE_CHECKING:
    from bot.engine.charter import Charter
    from bot.engine.charter_files import PersonFile
    from bot.engine.linked import LinkedAccounts
    from kernel.clock import Clock
    from kernel.people import GroupSource

log = logging.getLogger(__name__)

FRESH = timedelta(seconds=60)  # how long a platform's answer about a group counts
PATIENCE = 5.0  # seconds to wait for that answer
PREFERRED = ("slack", "discord", "web")  # where a workflow's message goes when nobody says on which platform
CHAIN = 3  # an account, the account that it was linked with, the person whose that is
Account = tuple[str, str]  # platform and the platform's own id; ids are unique on a platform


class TeamDirectory:
    """Answers from the charter in force at the moment of the question. Whatever cannot be told counts as no.

    `tenants` says which workspace each running platform serves; adapters add theirs once they are connected.
    `linked` are the accounts that people have linked themselves. What people.yaml says of an account goes before it.
    """

    def __init__(
        self,
        charter: Callable[[], Charter],
        clock: Clock,
        *,
        groups: Mapping[str, GroupSource] | None = None,
        tenants: Mapping[str, str] | None = None,
        linked: LinkedAccounts | None = None,
    ) -> None:
        self.charter = charter
        self.clock = clock
        self.linked = linked
        self.groups: dict[str, GroupSource] = dict(groups or {})
        self.tenants: dict[str, str] = {"web": "local"} if tenants is None else dict(tenants)
        self._members: dict[Account, tuple[datetime, frozenset[Account]]] = {}
        self._shown: dict[Account, tuple[datetime, bool]] = {}  # lane and the platform's own id
        self._asking: defaultdict[Account, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._index: tuple[str, dict[Account, str]] = ("", {})

    # -- people ---------------------------------------------------------------------------------

    def person(self, actor: Actor) -> Person:
        """The person behind an account. Bots, guests and externals come back with `can_decide` False."""
        outside = actor.is_bot or actor.is_guest or actor.is_external
        key = self.principal(actor.account) if self._ours(actor) else actor.account
        listed = self.charter().people.get(key)
        if listed is None:
            name = actor.name or actor.user
            can_decide = self._ours(actor) and not outside
            accounts = tuple(dict.fromkeys((key, *self._linked_with(key), actor.account)))
            return Person(id=key, name=name, accounts=accounts, listed=False, can_decide=can_decide)
        person = self._listed(key, listed)
        return person.model_copy(update={"can_decide": False}) if outside else person

    def by_id(self, person_id: str) -> Person | None:
        """The person with this id: a key of people.yaml, an account, or "workflow:NAME" for an unattended run."""
        key = self.principal(person_id)
        listed = self.charter().people.get(key)
        if listed is not None:
            return self._listed(key, listed)
        kind, _, name = person_id.partition(":")
        if kind == "workflow" and name:
            return Person(id=person_id, name=f"workflow {name}", listed=False, can_decide=False)
        return None

    def principal(self, person_id: str) -> str:
        """The id of the person whom this one stands for now: an account may have been linked with somebody since."""
        people = self.charter().people
        for _ in range(CHAIN):
            if person_id in people:
                return person_id
            platform, user = _account(person_id)
            owner = self._owner((platform, user)) if self._serves(platform, person_id.split(":")[1:2]) else None
            linked = owner or (self.linked.principal(person_id) if self.linked else None)
            if linked is None:
                break
            person_id = linked
        return person_id

    def one_human(self, person_id: str, other_id: str) -> bool:
        """Whether two ids are one human, for votes: also where their accounts were unlinked not long ago."""
        return not self._identities(person_id).isdisjoint(self._identities(other_id))

    def _identities(self, person_id: str) -> set[str]:
        before = self.linked.before(person_id) if self.linked else frozenset[str]()
        return {self.principal(one) for one in (person_id, *before)}

    def voter(self, person_id: str) -> Person | None:
        """The person of an id under which somebody voted, also from an account that people.yaml does not list."""
        known = self.by_id(person_id)
        platform, _, rest = person_id.partition(":")
        tenant, _, user = rest.partition(":")
        if known is None and platform in PLATFORMS and user:
            return self.person(Actor(platform=platform, tenant=tenant, user=user))
        return known

    def everybody(self) -> list[Person]:
        """Everybody in people.yaml, in the order of the file."""
        return [self._listed(key, one) for key, one in self.charter().people.items()]

    def away(self) -> tuple[Away, ...]:
        """Who is away by the charter, now or later; they are back when that day begins where they are."""
        found = []
        for key, one in self.charter().people.items():
            if one.delegate is not None:
                zone = ZoneInfo(one.time_zone or self.charter().team.time_zone)
                until = datetime.combine(one.delegate.until, time.min, zone).astimezone(UTC)
                found.append(Away(person=key, delegate=one.delegate.to, until=until))
        return tuple(found)

    def reach(self, person: Person, platform: str | None = None) -> Actor | None:
        """The account by which the person can be written to now, on `platform` if they are there."""
        wanted = [platform, *PREFERRED] if platform else PREFERRED
        accounts = dict(reversed([account.split(":", 1) for account in person.accounts]))
        for one in wanted:
            tenant, _, user = accounts.get(one, "").partition(":")
            if user and self.tenants.get(one) == tenant:
                return Actor(platform=one, tenant=tenant, user=user, name=person.name)
        return None

    # -- roles ----------------------------------------------------------------------------------

    def role(self, name: str) -> Role | None:
        """The role with this name."""
        return self.charter().roles.get(name)

    async def holds(self, person: Person, role: str, actor: Actor | None = None) -> bool:
        """Whether the person holds the role now; RoleUnknownError where a platform cannot be asked."""
        found = self.role(role)
        if found is None or not person.can_decide:
            return False
        if person.id in found.members or self._brought(found, actor):
            return True
        accounts = self._accounts(person)
        for platform, group in found.groups.items():
            if any(account[0] == platform for account in accounts) and accounts & await self._group(platform, group):
                return True
        return False

    async def roles_of(self, person: Person, actor: Actor | None = None) -> frozenset[str]:
        """All roles that the person holds now; a role that cannot be looked up is left out."""
        held = set()
        for name in self.charter().roles:
            try:
                if await self.holds(person, name, actor):
                    held.add(name)
            except RoleUnknownError:
                log.warning("role %s cannot be looked up: nobody holds it for now", name)
        return frozenset(held)

    async def holders(self, role: str) -> tuple[Person, ...]:
        """Everybody who holds the role and may decide; RoleUnknownError where it cannot be told.

        Groups of a platform that is not connected are left out: nobody can be reached or decide there.
        """
        found = self.role(role)
        if found is None:
            return ()
        people = {key: self.by_id(key) for key in found.members}
        for platform, group in found.groups.items():
            members = await self._group(platform, group) if platform in self.groups else frozenset[Account]()
            for account in sorted(members):
                person = self._of_account(account)
                people.setdefault(person.id, person)
        return tuple(person for person in people.values() if person is not None and person.can_decide)

    def forget_groups(self) -> None:
        """A platform says that a group has changed: ask again."""
        self._members.clear()

    # -- channels -------------------------------------------------------------------------------

    def channel(self, name: str, platform: str, tenant: str) -> Place | None:
        """The channel that the charter calls `name` ("#finance") on this platform."""
        charter = self.charter()
        channel = charter.channels.get(name)
        channel_id = channel_id_of(charter.team, name, platform) if channel and platform in PLATFORMS else ""
        if channel is None or not channel_id:
            return None
        return Place(platform=platform, tenant=tenant, channel=channel_id, external=channel.external)

    def channel_name(self, place: Place) -> str:
        """What the charter calls this channel ("#finance"); the platform's id where it does not name it."""
        charter = self.charter()
        if place.platform in PLATFORMS and place.kind != "dm":
            for name in charter.channels:
                if channel_id_of(charter.team, name, place.platform) == place.channel:
                    return name
        return place.channel

    def home(self, name: str, platform: str | None = None) -> Place | None:
        """Where messages for the channel go: on `platform` if it is there, else on the first platform that runs."""
        wanted = [platform, *PREFERRED] if platform else PREFERRED
        running = (one for one in wanted if one in self.tenants)
        places = (self.channel(name, one, self.tenants[one]) for one in running)
        return next((place for place in places if place is not None), None)

    def readers(self, name: str) -> frozenset[str] | None:
        """Person ids that may read the channel in the web chat; None: the whole team."""
        charter = self.charter()
        roles = [charter.roles[role] for role in charter.channels[name].readers]
        return frozenset(person for role in roles for person in role.members) if roles else None

    def wider(self, home: Place, other: Place) -> bool:
        """Whether somebody may read `other` who may not read `home`, or whether that cannot be told.

        A direct message, and a channel that the charter does not name, count as private.
        """
        name, other_name = self.channel_name(home), self.channel_name(other)
        channels = self.charter().channels
        if home.kind != "channel" or name not in channels:
            return True
        if other_name not in channels or channels[other_name].external:
            return True
        narrow, wide = self.readers(name), self.readers(other_name)
        return narrow is not None and (wide is None or not wide <= narrow)

    async def open_to(self, place: Place, person: Person) -> frozenset[str]:
        """Lanes of the charter's channels that everybody reads who will read an answer in `place`.

        Platforms say who reads a channel of theirs, person by person: so in a channel there are no others of them.
        """
        found = [
            channel
            for name in self.charter().channels
            for platform, tenant in self.tenants.items()
            if (channel := self.channel(name, platform, tenant)) is not None
        ]
        if place.kind == "dm":
            return frozenset([channel.lane for channel in found if await self._reads(person, channel)])
        if place.platform != "web" or place.external:
            return frozenset()
        return frozenset(each.lane for each in found if each.platform == "web" and not self.wider(each, place))

    async def _reads(self, person: Person, channel: Place) -> bool:
        """Whether the person reads the channel; where it cannot be told, not."""
        if channel.platform == "web":
            readers = self.readers(self.channel_name(channel))
            return person.listed and person.can_decide and (readers is None or person.id in readers)
        users = [user for platform, user in self._accounts(person) if platform == channel.platform]
        return any([await self._shows(channel, user) for user in users])

    async def _shows(self, channel: Place, user: str) -> bool:
        """Whether the platform shows the channel to an account, as it said at most a minute ago."""
        key, now = (channel.lane, user), self.clock.now()
        known = self._shown.get(key)
        if known is not None and now - known[0] < FRESH:
            return known[1]
        source = self.groups.get(channel.platform)
        if source is None:
            return False
        try:
            async with asyncio.timeout(PATIENCE):
                shows = await source.may_read(channel, user)
        except (PlatformError, TimeoutError) as error:
            log.warning("%s does not say who reads %s: %s", channel.platform, channel.lane, error)
            return False
        self._shown[key] = (now, shows)
        return shows

    # -- inside ---------------------------------------------------------------------------------

    def _owner(self, account: Account) -> str | None:
        charter = self.charter()
        if self._index[0] != charter.digest:
            owners = {one: key for key, person in charter.people.items() for one in person.accounts()}
            self._index = (charter.digest, owners)
        return self._index[1].get(account)

    def _ours(self, actor: Actor) -> bool:
        """The account is of the workspace that is served; of another one it is nobody."""
        return self._serves(actor.platform, [actor.tenant])

    def _serves(self, platform: str, tenant: list[str]) -> bool:
        served = self.tenants.get(platform) or self.charter().team.workspaces.get(platform)
        return served is None or [served] == tenant

    def _linked_with(self, principal: str) -> tuple[str, ...]:
        """Accounts that were linked with this person and that people.yaml gives to nobody."""
        found = self.linked.accounts_of(principal) if self.linked else ()
        return tuple(account for account in found if self._owner(_account(account)) in {None, principal})

    def _listed(self, key: str, person: PersonFile) -> Person:
        pinned = self.charter().team.workspaces | self.tenants
        known = [(platform, user) for platform, user in person.accounts() if platform in pinned]
        stated = [f"{platform}:{pinned[platform]}:{user}" for platform, user in known]
        accounts = tuple(dict.fromkeys((*stated, *self._linked_with(key))))
        return Person(
            id=key,
            name=person.name,
            accounts=accounts,
            can_decide=person.active,
            time_zone=person.time_zone or self.charter().team.time_zone,
            quiet=minutes_of(person.quiet_hours or self.charter().team.quiet_hours),
        )

    def _of_account(self, account: Account) -> Person:
        platform, user = account
        name = f"{platform}:{self.tenants.get(platform, '')}:{user}"
        key = self._owner(account) or self.principal(name)
        listed = self.charter().people.get(key)
        if listed is not None:
            return self._listed(key, listed)
        return Person(
            id=key, name=user, accounts=tuple(dict.fromkeys((key, *self._linked_with(key), name))), listed=False
        )

    def _accounts(self, person: Person) -> frozenset[Account]:
        listed = self.charter().people.get(person.id)
        if listed is not None:
            return frozenset((*listed.accounts(), *(_account(key) for key in self._linked_with(person.id))))
        return frozenset(_account(key) for key in person.accounts)

    def _brought(self, role: Role, actor: Actor | None) -> bool:
        """The account's own payload carries the role, as on Discord."""
        return actor is not None and self._ours(actor) and role.groups.get(actor.platform, "") in actor.roles

    async def _group(self, platform: str, group: str) -> frozenset[Account]:
        """The accounts in a platform's group, at most a minute old. RoleUnknownError where it cannot be told."""
        key = (platform, group)
        async with self._asking[key]:
            known = self._members.get(key)
            now = self.clock.now()
            if known is not None and now - known[0] < FRESH:
                return known[1]
            source = self.groups.get(platform)
            if source is None:
                raise RoleUnknownError(f"{platform} is not connected, so the members of its group cannot be looked up.")
            try:
                async with asyncio.timeout(PATIENCE):
                    members = await source.group_members(group)
            except (PlatformError, TimeoutError) as error:
                self._members.pop(key, None)
                raise RoleUnknownError from error
            accounts = frozenset(_account(member) for member in members)
            self._members[key] = (now, accounts)
            return accounts


def _account(key: str) -> Account:
    platform, _, rest = key.partition(":")
    return platform, rest.partition(":")[2]
