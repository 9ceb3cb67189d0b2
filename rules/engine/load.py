"""Reading rule files: text to rules, or errors with file, line and a suggestion. What is not understood never loads."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kernel.errors import CharterError
from kernel.yaml_lines import Located, load, parse
from rules.engine.checks import problems_of
from rules.engine.language import RuleFile

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kernel.yaml_lines import Loc
    from rules.engine.known import Known


class LoadedFile(NamedTuple):
    """A rule file that was read, with the lines of its parts."""

    located: Located
    content: RuleFile


def load_file(path: str, text: str, known: Known) -> LoadedFile:
    """Read one file and compare it with what there is. CharterError with every problem."""
    located = load(path, text)
    content = parse(located, RuleFile)
    problems = problems_of(located, content, known)
    if problems:
        raise CharterError(problems)
    return LoadedFile(located, content)


def load_files(files: Mapping[str, str], known: Known) -> list[LoadedFile]:
    """Read all files, in order of path; ids are unique over all of them. CharterError with every problem."""
    loaded: list[LoadedFile] = []
    problems: list[str] = []
    places: dict[str, str] = {}
    for path in sorted(files):
        try:
            one = load_file(path, files[path], known)
        except CharterError as error:
            problems += error.problems
            continue
        loaded.append(one)
        for number, rule in enumerate(one.content.rules):
            loc: Loc = ("rules", number, "id")
            if rule.id in places:
                problems.append(one.located.problem(loc, f"'{rule.id}' is a rule already, in {places[rule.id]}"))
            places.setdefault(rule.id, f"{path}:{one.located.line(loc)}")
    if problems:
        raise CharterError(problems)
    return loaded
