"""Changes of the rules that agents propose: tried on the charter and on the past, in force once people have agreed."""

from __future__ import annotations

import asyncio
import difflib
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.engine.whole_files import write_whole
from kernel import ledger
from kernel.errors import CharterError
from kernel.store import approvals, past_calls
from rules.engine import replaying, rule_files
from rules.engine.backtesting import backtest
from rules.engine.drafts import read_draft
from rules.engine.rule_tests import run_test
from rules.engine.rulebook import RuleBook
from rules.engine.ruleset import digest_of
from rules.engine.writing_guide import guide
from tools.engine.ruling import RuleChange, RulingError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.engine.charter import Charter
    from bot.engine.charter_keeper import CharterKeeper
    from kernel.clock import Clock
    from kernel.store import Session, Store
    from kernel.types import Json, RunFacts
    from rules.engine.backtesting import Backtest
    from rules.engine.drafts import Draft
    from rules.engine.language import Rule

DAYS = 30  # of the past on which a change is tried
NEW_FILE = "rules/agreed.yaml"  # where rules go that replace none
SHOWN = 12  # problems that are named


class RuleChanges:
    """`tools.engine.ruling.Ruling`."""

    def __init__(self, store: Store, clock: Clock, keeper: CharterKeeper, rules: RuleBook) -> None:
        self.store = store
        self.clock = clock
        self.keeper = keeper
        self.rules = rules
        self._one_at_a_time = asyncio.Lock()

    def guide(self, tool: str) -> str:
        """How rules are written, and which are in force."""
        return guide(self.rules, tool)

    async def check(self, text: str, remove: Sequence[str]) -> RuleChange:
        """Try a change."""
        draft = self._read(text, remove)
        before = await asyncio.to_thread(self._files)
        return await self._tried(draft, remove, before, self._changed(before, draft, remove))

    async def apply(self, call_id: str, text: str, remove: Sequence[str], facts: RunFacts) -> RuleChange:
        """Put it in force, on the files as they are now."""
        async with self._one_at_a_time:
            await self.keeper.look()  # what people have saved meanwhile counts
            draft = self._read(text, [each for each in remove if self.rules.current.rule(each) is not None])
            await self.store.read(lambda session: self._unchanged(session, call_id, draft, remove))
            before = await asyncio.to_thread(self._files)
            changed = self._changed(before, draft, [each for each in remove if self.rules.current.rule(each)])
            change = await self._tried(draft, remove, before, changed)
            was = self.rules.current.version
            try:
                await asyncio.to_thread(self._write, before, changed)
            except OSError as error:
                reason = error.strerror or str(error)
                raise RulingError(f"The charter's folder cannot be changed: {reason}.") from error
            await self.keeper.look()
            told = {"before": was, "version": self.rules.current.version, "files": sorted(changed)}
            await self.store.write(lambda session: self._tell(session, call_id, change, told, facts))
            return change

    # -- reading --------------------------------------------------------------------------------------------------

    def _read(self, text: str, remove: Sequence[str]) -> Draft | None:
        if not text.strip() and not remove:
            raise RulingError("Nothing would change: write a rule, or name one that is to go.")
        gone = [each for each in remove if self.rules.current.rule(each) is None]
        if gone:
            raise RulingError(f"There is no rule {', '.join(gone)}.")
        if not text.strip():
            return None
        try:
            return read_draft(text, self.keeper.current.known)
        except CharterError as error:
            raise _refused("The rules are not valid", error.problems) from error

    def _files(self) -> dict[str, str]:
        """The rule files as they are on the disk."""
        folder = self.keeper.folder
        return {
            path.relative_to(folder).as_posix(): path.read_text("utf-8-sig")
            for path in sorted((folder / "rules").glob("*.yaml"))
        }

    def _changed(self, before: Mapping[str, str], draft: Draft | None, remove: Sequence[str]) -> dict[str, str]:
        """The files that have to be written."""
        after = dict(before)
        try:
            homes = {rule: path for path, text in before.items() for rule in rule_files.ids_in(text)}
            for rule in draft.rules if draft is not None else ():
                path = homes.get(rule.id, NEW_FILE)
                after[path] = rule_files.with_rule(after.get(path, ""), rule)
            for rule_id in remove:
                after[homes[rule_id]] = rule_files.without_rule(after[homes[rule_id]], rule_id)
        except (ValueError, KeyError) as error:
            raise RulingError(f"The rule files cannot be changed: {error}.") from error
        return {path: text for path, text in after.items() if before.get(path) != text}

    # -- trying ---------------------------------------------------------------------------------------------------

    async def _tried(
        self, draft: Draft | None, remove: Sequence[str], before: Mapping[str, str], changed: Mapping[str, str]
    ) -> RuleChange:
        try:
            charter = await self.keeper.check({path: text.encode() for path, text in changed.items()})
        except CharterError as error:
            raise _refused("The charter would not take it", error.problems) from error
        book = RuleBook()
        book.load(charter.rules, charter.known)
        self._only_what_was_meant(book, draft, remove)
        tests = _tests(book, draft)
        rules = draft.rules if draft is not None else ()
        found = await self._past(book)
        return RuleChange(
            rules=tuple(rule.id for rule in rules),
            removed=tuple(remove),
            difference=_difference(before, changed),
            whys=tuple(rule.why for rule in rules),
            notes=_notes(book, charter, rules),
            tests=tests,
            backtest=found.text,
            silent=sum(each.calls for each in found.differences if each.kind == "silent"),
        )

    async def _past(self, book: RuleBook) -> Backtest:
        begin, current = self.clock.now() - timedelta(days=DAYS), self.rules.current
        return await self.store.read(
            lambda session: backtest(current, book.current, past_calls.since(session, begin), days=DAYS)
        )

    def _only_what_was_meant(self, book: RuleBook, draft: Draft | None, remove: Sequence[str]) -> None:
        """The files say what the draft says, and of every other rule what they said before."""
        rules = draft.rules if draft is not None else ()
        wanted = {rule.id: digest_of(rule) for rule in self.rules.current.rules if rule.id not in remove}
        wanted |= {rule.id: digest_of(rule) for rule in rules}
        found = {rule.id: digest_of(rule) for rule in book.current.rules}
        other = sorted(rule for rule in wanted.keys() | found.keys() if wanted.get(rule) != found.get(rule))
        if other:
            raise RulingError(f"The files would not say what was meant about {', '.join(other)}. Nothing was changed.")

    # -- putting in force -----------------------------------------------------------------------------------------

    def _unchanged(self, session: Session, call_id: str, draft: Draft | None, remove: Sequence[str]) -> None:
        """RulingError where a rule that is to be replaced is another one than when people were asked."""
        asked = approvals.of_call(session, call_id)
        rules = replaying.kept(session, asked.rules["version"]) if asked is not None else None
        if rules is None:
            raise RulingError("It is not known under which rules this was asked. Propose it again.")
        drafted = {rule.id: digest_of(rule) for rule in (draft.rules if draft is not None else ())}
        for rule_id in (*drafted, *remove):
            then, now = rules.rule(rule_id), self.rules.current.rule(rule_id)
            was, has = (None if each is None else digest_of(each) for each in (then, now))
            if was != has and has != drafted.get(rule_id):  # what was done already may be done again
                raise RulingError(f"The rule {rule_id} was changed since people were asked. Propose it again.")

    def _write(self, before: Mapping[str, str], changed: Mapping[str, str]) -> None:
        """Write the files that are still as they were read."""
        now = self._files()
        if any(now.get(path) != before.get(path) for path in changed):
            raise RulingError("Somebody is editing the rule files at this moment. Propose it again.")
        for path, text in changed.items():
            write_whole(self.keeper.folder / path, text)

    def _tell(self, session: Session, call_id: str, change: RuleChange, told: Json, facts: RunFacts) -> None:
        asked = approvals.of_call(session, call_id)
        body = {
            **told,
            "rules": list(change.rules),
            "removed": list(change.removed),
            "approval": asked.ref if asked is not None else "",
            "run": facts.ref,
            "requester": facts.requester.id,
        }
        ledger.append(session, self.clock.now(), "rules.changed", call_id, body)


def _tests(book: RuleBook, draft: Draft | None) -> int:
    """How many tests hold; RulingError where one does not."""
    results = book.run_tests()
    if draft is not None:
        results += [
            run_test(book.current, book.known, draft.located, number, test) for number, test in enumerate(draft.tests)
        ]
    failed = [f"{each.where}: {each.text}" for each in results if not each.ok]
    if failed:
        raise _refused("Tests of the rules would not hold any more", failed)
    return len(results)


def _notes(book: RuleBook, charter: Charter, rules: Sequence[Rule]) -> tuple[str, ...]:
    """What the linter says about these rules, and about others only because of them."""
    ids = {rule.id for rule in rules}
    found = book.lint(charter.roles)
    return tuple(each.text for each in found if each.subject in ids or (each.serious and ids & set(each.text.split())))


def _difference(before: Mapping[str, str], changed: Mapping[str, str]) -> str:
    lines: list[str] = []
    for path, text in sorted(changed.items()):
        old = before.get(path, "")
        lines += difflib.unified_diff(old.splitlines(), text.splitlines(), path, path, lineterm="", n=2)
    return "\n".join(lines)


def _refused(what: str, problems: Sequence[str]) -> RulingError:
    shown = "\n".join(f"- {problem}" for problem in problems[:SHOWN])
    return RulingError(f"{what}, so nothing was changed:\n{shown}")
