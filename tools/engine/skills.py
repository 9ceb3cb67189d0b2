"""Agent Skills: folders of the charter with a SKILL.md, which agents read when a task calls for it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import yaml

from tools.engine.failure import CannotDo

if TYPE_CHECKING:
    from pathlib import Path

MAIN = "SKILL.md"
LARGEST = 200_000  # bytes of one file
MOST = 200  # skills, and files of one
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
FILE = re.compile(r"[\w-][\w.-]*(/[\w-][\w.-]*){0,4}")
FRONT = re.compile(r"\A---\n(.*?)\n---\n", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Skill:
    """A skill, as its front matter describes it."""

    name: str  # of its folder
    description: str  # what it is for; says what is wrong where it cannot be read


def listed(folder: Path) -> list[Skill]:
    """The skills of the charter, by name."""
    if not folder.is_dir():
        return []
    names = sorted(path.parent.name for path in folder.glob(f"*/{MAIN}"))
    return [Skill(name=name, description=_description(folder, name)) for name in names[:MOST] if NAME.fullmatch(name)]


def _description(folder: Path, name: str) -> str:
    try:
        front = FRONT.match(text_of(folder, name, MAIN))
        known = yaml.safe_load(front[1]) if front else None
    except (CannotDo, yaml.YAMLError):
        known = None
    said = known.get("description") if isinstance(known, dict) else None
    return " ".join(str(said).split())[:500] if said else f"its {MAIN} has no front matter with a description"


def text_of(folder: Path, name: str, file: str) -> str:
    """A file of a skill. CannotDo where it is not there, is no text, or leads out of the skill's folder."""
    if not NAME.fullmatch(name) or not (folder / name / MAIN).is_file():
        known = ", ".join(path.parent.name for path in sorted(folder.glob(f"*/{MAIN}"))[:MOST]) or "none"
        raise CannotDo(f"There is no skill of this name. There are: {known}.")
    path, home = folder / name / file, (folder / name).resolve()
    if not FILE.fullmatch(file) or not path.is_file() or not path.resolve().is_relative_to(home):
        raise CannotDo(f"The skill {name} has no such file. It has: {', '.join(_files(home))}.")
    if path.stat().st_size > LARGEST:
        raise CannotDo(f"The file is larger than {LARGEST:,} bytes.")
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise CannotDo("The file is not text.") from error


def files_of(folder: Path, name: str) -> list[str]:
    """The other files of a skill."""
    return [file for file in _files((folder / name).resolve()) if file != MAIN]


def _files(home: Path) -> list[str]:
    found = (path.relative_to(home).as_posix() for path in sorted(home.rglob("*")) if path.is_file())
    return [file for file in found if FILE.fullmatch(file)][:MOST]
