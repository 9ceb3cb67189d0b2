"""Loading the charter: every file read once, validated by itself and against all others, as one immutable value."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel

from agents.engine.definition import Roster, load_agents
from bot.engine.charter_checks import budget_problems, channel_problems, people_problems, tools_problems
from bot.engine.charter_files import BosunFile, Channel, PeopleFile, PersonFile
from bot.engine.charter_workflows import read_workflows
from kernel import yaml_lines
from kernel.errors import CharterError
from kernel.people import Role
from knowledge.engine import sources_file
from knowledge.engine.sources_file import SourcesFile
from rules.engine.known import Known, KnownTool
from rules.engine.load import load_files
from tools.engine.setup.file import ToolsFile
from workflows.engine.definition import Workflow

if TYPE_CHECKING:
    from kernel.yaml_lines import Loc, Located
    from workflows.engine.steps import Kinds

ModelT = TypeVar("ModelT", bound=BaseModel)


@dataclass(kw_only=True)
class Brought:
    """The tools that a tools.yaml brings, and what is wrong with how it names them."""

    tools: dict[str, KnownTool] = field(default_factory=dict)
    problems: list[tuple[Loc, str, str, tuple[str, ...]]] = field(default_factory=list)  # where, what; word, known


Bringing = Callable[[ToolsFile, Path], Brought]

BOSUN, PEOPLE, TOOLS = "bosun.yaml", "people.yaml", "tools.yaml"
# The documents in knowledge/ are read by their own room.
PATTERNS = ("*.yaml", "agents/*.md", "rules/*.yaml", "workflows/*.yaml", sources_file.PATH)
LARGEST = 1_000_000  # bytes of one file


@dataclass(frozen=True, kw_only=True)
class Charter:
    """The team's files as they were when they were read."""

    folder: Path
    digest: str  # SHA-256 over names and contents: the same digest, the same charter
    team: BosunFile
    channels: Mapping[str, Channel]  # by name, "#finance"
    people: Mapping[str, PersonFile]  # by Person id
    roles: Mapping[str, Role]
    demo: bool  # people are invented, and the web chat lets everybody be anybody
    roster: Roster
    workflows: Mapping[str, Workflow]
    rules: Mapping[str, str]  # path -> text, valid: what RuleBook.load takes
    known: Known  # what the rules may name
    tools: ToolsFile
    sources: SourcesFile  # of knowledge, beside the documents in its folder

    @property
    def knowledge(self) -> Path:
        """The folder of the team's documents."""
        return self.folder / "knowledge"


def read_files(folder: Path) -> dict[str, bytes]:
    """The charter's files by path. CharterError where the folder or a file cannot be read."""
    if not (folder / BOSUN).is_file():
        raise CharterError(
            [f"{folder}: there is no {BOSUN} here: `bosun init {folder}` writes a charter to start with"]
        )
    files: dict[str, bytes] = {}
    problems = []
    for path in sorted({path for pattern in PATTERNS for path in folder.glob(pattern)}):
        name = path.relative_to(folder).as_posix()
        try:
            if path.stat().st_size > LARGEST:
                problems.append(f"{name}:1: the file is larger than {LARGEST:,} bytes")
            else:
                files[name] = path.read_bytes()
        except OSError as error:
            problems.append(f"{name}:1: cannot be read: {error.strerror}")
    if problems:
        raise CharterError(problems)
    return files


def digest_of(files: Mapping[str, bytes]) -> str:
    """SHA-256 over names and contents, in order of name."""
    total = hashlib.sha256()
    for name in sorted(files):
        total.update(f"{name}\0{len(files[name])}\0".encode() + files[name])
    return total.hexdigest()


def load(
    folder: Path,
    own: Mapping[str, KnownTool],
    kinds: Kinds,
    *,
    bringing: Bringing | None = None,
    changed: Mapping[str, bytes | None] = MappingProxyType({}),
) -> Charter:
    """Read and check the whole charter. CharterError with every problem of every file, each with file and line.

    `own` are the tools that are there whatever tools.yaml says, `bringing` tells which ones it adds. `changed` are
    workflow and rule files, by path, as they would be: None for one that would be gone.
    """
    files = {**read_files(folder), **{path: content for path, content in changed.items() if content is not None}}
    for path in [path for path, content in changed.items() if content is None]:
        files.pop(path, None)
    reader = _Reader(folder, files)
    team, people, tools_file = reader.team(), reader.people(), reader.tools()
    tools = {**own, **reader.brought(tools_file, bringing)}
    channels = frozenset(team.channels) if team else frozenset[str]()
    roster = reader.agents(tools, channels)
    names = {
        "agent": frozenset(roster.agents) if roster else frozenset[str](),
        "channel": channels,
        "role": frozenset(people.roles) if people else frozenset[str](),
        "tool": frozenset(tools),
    }
    workflows = reader.workflows(kinds, team, names)
    known = Known(
        tools=tools,
        agents=frozenset(roster.agents) if roster else None,
        roles=frozenset(people.roles) if people else None,
        channels=channels or None,
        workflows=frozenset(workflows),
    )
    rules = reader.rules(known)
    reader.cross_check(team, people, tools_file)
    sources = reader.sources(people, channels, tools_file)
    if reader.problems or team is None or people is None or roster is None:
        raise CharterError(reader.problems)
    return Charter(
        folder=folder,
        digest=digest_of(files),
        team=team,
        channels=MappingProxyType(team.channels),
        people=MappingProxyType(people.people),
        roles=MappingProxyType(_roles(people)),
        demo=people.demo,
        roster=roster,
        workflows=MappingProxyType(workflows),
        rules=MappingProxyType(rules),
        known=known,
        tools=tools_file or ToolsFile(),
        sources=sources,
    )


def _roles(file: PeopleFile) -> dict[str, Role]:
    roles = {}
    for name, role in file.roles.items():
        named = [person for person, one in file.people.items() if name in one.roles or person in role.members]
        groups = {"slack": role.slack_group, "discord": role.discord_role}
        shown = {platform: group for platform, group in groups.items() if group}
        roles[name] = Role(name=name, members=tuple(named), groups=shown)
    return roles


class _Reader:
    """Reads the parts of one charter and gathers what is wrong with them."""

    def __init__(self, folder: Path, files: Mapping[str, bytes]) -> None:
        self.folder = folder
        self.files = files
        self.problems: list[str] = []
        self.located: dict[str, Located] = {}

    def team(self) -> BosunFile | None:
        return self._file(BOSUN, BosunFile)

    def people(self) -> PeopleFile | None:
        if PEOPLE not in self.files:
            self.problems.append(f"{PEOPLE}:1: the file is missing: it says who works here")
            return None
        return self._file(PEOPLE, PeopleFile)

    def tools(self) -> ToolsFile | None:
        text = self.files.get(TOOLS, b"")
        has_words = any(line.strip() and not line.strip().startswith(b"#") for line in text.splitlines())
        return self._file(TOOLS, ToolsFile) if has_words else ToolsFile()

    def brought(self, file: ToolsFile | None, bringing: Bringing | None) -> dict[str, KnownTool]:
        if file is None or bringing is None or TOOLS not in self.located:
            return {}
        found = bringing(file, self.folder)
        self.problems += [self.located[TOOLS].problem(*problem) for problem in found.problems]
        return found.tools

    def sources(self, people: PeopleFile | None, channels: frozenset[str], tools: ToolsFile | None) -> SourcesFile:
        try:
            return sources_file.load(
                self._text(sources_file.PATH) if sources_file.PATH in self.files else "",
                roles=frozenset(people.roles) if people else None,
                channels=channels,
                people=frozenset(people.people) if people else frozenset(),
                servers=frozenset(tools.mcp) if tools else None,
            )
        except CharterError as error:
            self.problems += error.problems
            return SourcesFile()

    def agents(self, tools: Mapping[str, KnownTool], channels: frozenset[str]) -> Roster | None:
        try:
            return load_agents(self.folder / "agents", tools=tools, channels=channels)
        except CharterError as error:
            self.problems += error.problems
            return None

    def workflows(
        self, kinds: Kinds, team: BosunFile | None, names: Mapping[str, Collection[str]]
    ) -> dict[str, Workflow]:
        texts = {}
        for path in self._in("workflows"):
            try:
                texts[path] = self._text(path)
            except CharterError as error:
                self.problems += error.problems
        zone, calendars = (team.time_zone, team.calendars) if team else ("UTC", {})
        found, problems = read_workflows(texts, kinds, zone, calendars, names)
        self.problems += problems
        return found

    def rules(self, known: Known) -> dict[str, str]:
        try:
            texts = {path: self._text(path) for path in self._in("rules")}
            load_files(texts, known)
        except CharterError as error:
            self.problems += error.problems
            return {}
        return texts

    def cross_check(self, team: BosunFile | None, people: PeopleFile | None, tools: ToolsFile | None) -> None:
        if people is not None:
            self.problems += people_problems(self.located[PEOPLE], people)
        if team is not None:
            self.problems += channel_problems(self.located[BOSUN], team, people)
            self.problems += budget_problems(self.located[BOSUN], team, people)
        if tools is not None and people is not None and TOOLS in self.located:
            self.problems += tools_problems(self.located[TOOLS], tools, people)

    def _in(self, folder: str) -> list[str]:
        return [path for path in self.files if path.startswith(f"{folder}/")]

    def _text(self, path: str) -> str:
        try:
            return self.files[path].decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = self.files[path][: error.start].count(b"\n") + 1
            raise CharterError([f"{path}:{line}: the file is not UTF-8 text"]) from error

    def _file(self, path: str, model: type[ModelT]) -> ModelT | None:
        try:
            self.located[path] = yaml_lines.load(path, self._text(path))
            return yaml_lines.parse(self.located[path], model)
        except CharterError as error:
            self.problems += error.problems
            return None
