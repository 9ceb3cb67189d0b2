"""Reading rule files: text to rules, or errors with file, line and a suggestion. What is not understood never loads."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, NamedTuple

from kernel.errors import CharterError
from kernel.yaml_lines import Located, load, parse
from rules.engine import language
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
    supported, problems = _without_later_words(located)
    try:
        content = parse(Located(path=path, value=supported, lines=located.lines), RuleFile)
    except CharterError as error:
        raise CharterError([*problems, *error.problems]) from error
    problems += problems_of(located, content, known)
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


def _without_later_words(located: Located) -> tuple[Any, list[str]]:
    """The document without the words of the full language that are not supported yet, and a problem for each."""
    value = copy.deepcopy(located.value)
    problems: list[str] = []

    def take(part: Any, kind: str, loc: Loc) -> None:
        if not isinstance(part, dict):
            return
        for word in sorted(language.LATER[kind] & part.keys()):
            problems.append(located.problem((*loc, word), f"'{word}' is not supported yet"))
            del part[word]

    rules = value.get("rules") if isinstance(value, dict) else None
    for number, rule in enumerate(rules if isinstance(rules, list) else []):
        loc: Loc = ("rules", number)
        take(rule, "rule", loc)
        if not isinstance(rule, dict):
            continue
        take(rule.get("approval"), "approval", (*loc, "approval"))
        take(rule.get("context"), "context", (*loc, "context"))
        if rule.get("context") == {}:
            rule["context"] = None
        args = rule.get("args")
        for name, condition in (args if isinstance(args, dict) else {}).items():
            take(condition, "condition", (*loc, "args", name))
    return value, problems
