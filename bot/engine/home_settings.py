"""What a person can set for themselves, as rows of their dashboard, and what its buttons do."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bot.engine import absence_words
from bot.engine.home_view import Setting
from bot.engine.linking import NAMES
from kernel.types import Action, Choice, Form, FormField

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bot.engine.charter import Charter
    from bot.engine.directory import TeamDirectory
    from bot.engine.linking import Linking
    from bot.engine.text_command import Absent
    from kernel.clock import Clock
    from kernel.people import Away
    from kernel.types import Inbound, Person, Press

PREFIX = "ME-"  # how the subject of a setting's button begins
AWAY, ACCOUNTS = f"{PREFIX}away", f"{PREFIX}accounts"
HOME = f"{PREFIX}home"  # of the button that opens the whole dashboard
FIRST = (  # what newcomers are offered beside something to say
    Action(subject=ACCOUNTS, verb="link", label="Link my account"),
    Action(subject=HOME, verb="open", label="Open dashboard"),
)
CHOICES = 10  # people whom a dialog offers as delegates; of a larger team the name is typed
NOBODY = "-"


class HomeSettings:
    """Builds the rows, and answers their buttons."""

    def __init__(
        self,
        clock: Clock,
        directory: TeamDirectory,
        absences: Absent,
        linking: Linking,
        charter: Callable[[], Charter],
    ) -> None:
        self.clock = clock
        self.directory = directory
        self.absences = absences
        self.linking = linking
        self.charter = charter

    async def of(self, person: Person) -> tuple[Setting, ...]:
        """The rows for this person."""
        rows = [self._accounts(person), self._reminders(person)]
        return (self._presence(person, await self.absences.by_person()), *rows) if person.can_decide else tuple(rows)

    async def answer(self, press: Press, person: Person, inbound: Inbound) -> Form | str:
        """The dialog that this press opens, or what to tell the person. RefusedError, NotAllowed."""
        if press.subject == ACCOUNTS:
            return await self.linking.offer(inbound.actor, inbound.place)
        if press.verb == "back":
            return await absence_words.come_back(self.absences, person)
        if press.verb != "leave":
            return "This button is out of date."
        return await self._leave(press.fields, person) if press.fields else self._form(person)

    # -- rows -------------------------------------------------------------------------------------

    def _presence(self, person: Person, away: Mapping[str, Away]) -> Setting:
        others = [self._name(one.person) for one in away.values() if one.delegate == person.id]
        for_others = f" You decide for {', '.join(others)} as well." if others else ""
        mine = away.get(person.id)
        if mine is None:
            leave = Action(subject=AWAY, verb="leave", label="Go away…", opens_form=True)
            return Setting(title="Here or away", detail=f"You are here.{for_others}", actions=(leave,))
        who = f"{self._name(mine.delegate)} decides for you" if mine.delegate else "nobody decides for you"
        back = Action(subject=AWAY, verb="back", label="I’m back")
        until = absence_words.until_in_words(mine, person)
        return Setting(title="Here or away", detail=f"You are away until {until}; {who}.", actions=(back,))

    def _accounts(self, person: Person) -> Setting:
        here = sorted({NAMES[account.partition(":")[0]] for account in person.accounts})
        link = Action(subject=ACCOUNTS, verb="link", label="Link another…")
        detail = (
            f"You are the same person in {_listed(here)}." if len(here) > 1 else f"You are known in {_listed(here)}."
        )
        return Setting(title="Linked accounts", detail=detail, actions=(link,))

    def _reminders(self, person: Person) -> Setting:
        team = self.charter().team
        hour, zone = team.decisions.digest_hour, person.time_zone or team.time_zone
        quiet = ""
        if person.quiet and person.quiet[0] != person.quiet[1]:
            begin, end = (f"{minute // 60:02}:{minute % 60:02}" for minute in person.quiet)
            quiet = f" Between {begin} and {end} nothing that can wait disturbs you."
        told = f"What waits for you is told once a day from {hour}:00 on, in the time of {zone}."
        return Setting(title="Reminders", detail=f"{told}{quiet} people.yaml sets this.")

    # -- going away -------------------------------------------------------------------------------

    def _form(self, person: Person) -> Form:
        others = [one for one in self.directory.everybody() if one.can_decide and one.id != person.id]
        week = f"{(self.clock.now() + timedelta(days=7)).astimezone(absence_words.zone(person)):%Y-%m-%d}"
        until = FormField(id="until", label="Back on", value=week, max_length=10, hint="Year, month and day")
        label = "Who decides for you?"
        if 0 < len(others) < CHOICES:
            offered = (Choice(value=NOBODY, label="Nobody"), *(Choice(value=o.id, label=o.name[:75]) for o in others))
            who = FormField(id="who", label=label, value=NOBODY, choices=offered)
        else:
            who = FormField(id="who", label=label, required=False, max_length=60, hint="A name; empty: nobody")
        return Form(subject=AWAY, verb="leave", title="Go away", fields=(until, who), submit="Go away")

    async def _leave(self, fields: Mapping[str, str], person: Person) -> str:
        who = fields.get("who", NOBODY).strip()
        stand_in = absence_words.named(who, self.directory.everybody()) if who not in {"", NOBODY} else None
        return await absence_words.leave(self.absences, person, stand_in, fields.get("until", ""))

    def _name(self, person: str | None) -> str:
        found = self.directory.by_id(person) if person else None
        return found.name if found else "somebody"


def _listed(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names) or "no account"
