"""What the documentation names exists: paths, make targets, commands; blocks marked `run` are run.

Checked are README.md and docs/*.md. A fenced block that starts with ```sh run is executed line by line in the
repository's folder, with an empty data folder, and must succeed; other sh and console blocks are only read.
A code span is taken for a path if it begins with one of our folders; with a `*` or `<name>` in it, it is not.
"""

import os
import re
import shlex
import subprocess
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from urllib.parse import unquote, urlsplit

import click
import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[2]
SHELLS = {"sh", "bash", "shell", "console"}
TOP_LEVEL = {"bot", "agents", "workflows", "knowledge", "tools", "rules", "kernel", "tests", "docs", ".ci"}
LOOKS_LIKE_A_PATH = re.compile(r"[\w.-]+(/[\w.-]+)*/?")


@dataclass(frozen=True, kw_only=True)
class Found:
    """Something that the documentation names."""

    page: str  # path of the page in the repository
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}: {self.text}"


def pages() -> list[Path]:
    return [path for path in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))] if path.exists()]


def blocks(page: Path) -> Iterator[tuple[int, Token]]:
    """Every block of the page with its line, and every piece of running text with the line of its block."""
    for token in MarkdownIt("commonmark").enable("table").parse(page.read_text()):
        line = token.map[0] + 1 if token.map else 0
        yield line, token
        for child in token.children or ():
            yield line, child


def named_paths(page: Path) -> Iterator[Found]:
    """Relative targets of links and images, and code spans that read like a path of this repository."""
    name = str(page.relative_to(ROOT))
    for line, token in blocks(page):
        target = token.attrGet("href") or token.attrGet("src")
        if isinstance(target, str):
            url = urlsplit(target)
            if not url.scheme and not url.netloc and url.path:
                path = os.path.relpath(page.parent / unquote(url.path), ROOT)
                yield Found(page=name, line=line, text=path)
        if token.type == "code_inline" and _is_repository_path(token.content):
            yield Found(page=name, line=line, text=token.content)


def _is_repository_path(span: str) -> bool:
    """A code span names a path if it starts with one of our folders; `tools/x` in a charter stays free."""
    if not LOOKS_LIKE_A_PATH.fullmatch(span):
        return False
    first, slash, _ = span.partition("/")
    return bool(slash) and first in TOP_LEVEL


def commands(page: Path, *, only_run: bool = False) -> Iterator[Found]:
    """The command lines of shell blocks: without prompt, comment and, in console blocks, without output."""
    for line, token in blocks(page):
        language, *flags = token.info.split() if token.type == "fence" else [""]
        if language not in SHELLS or (only_run and "run" not in flags):
            continue
        text = token.content.replace("\\\n", " ")
        if language == "console":
            text = "\n".join(part[1:] for part in text.splitlines() if part.startswith("$"))
        for part in filter(None, map(str.strip, text.splitlines())):
            if not part.startswith("#"):
                yield Found(page=str(page.relative_to(ROOT)), line=line, text=part)


def calls(command: str) -> Iterator[list[str]]:
    """The programs a line starts, with their arguments: split at pipes, without leading NAME=value.

    `.venv/bin/` is left away, and `python -m bot` is `bosun`.
    """
    words = shlex.shlex(command, posix=True, punctuation_chars=True)
    words.whitespace_split = True
    words.commenters = "#"
    call: list[str] = []
    for word in [*words, ";"]:
        if not set(word) <= set("();<>|&"):
            call.append(word)
            continue
        while call and re.match(r"\w+=", call[0]):
            call.pop(0)
        if call:
            program, *arguments = call
            program = program.removeprefix(".venv/bin/")
            through_python = program == "python" and arguments[:2] == ["-m", "bot"]
            yield ["bosun", *arguments[2:]] if through_python else [program, *arguments]
        call = []


def command_line() -> click.Command:
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    module, _, name = scripts["bosun"].partition(":")
    found = getattr(import_module(module), name)
    assert isinstance(found, click.Command), f"{scripts['bosun']} is not a click command"
    return found


def unknown_to(command: click.Command, words: list[str]) -> str | None:
    """The first word that this command line does not know as a subcommand or an option."""
    rest = iter(words)
    for word in rest:
        if word.startswith("-"):
            name, equals, _ = word.partition("=")
            option = next((one for one in command.params if name in (*one.opts, *one.secondary_opts)), None)
            if option is None and name != "--help":
                return name
            if isinstance(option, click.Option) and not (option.is_flag or option.count or equals):
                next(rest, None)  # its value
        elif isinstance(command, click.Group):
            known = command.get_command(click.Context(command), word)
            if known is None:
                return word
            command = known
    return None


ALL_PAGES = pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)


@pytest.fixture(scope="module")
def bosun() -> click.Command:
    return command_line()


def test_the_readme_exists() -> None:
    tracked = ["git", "ls-files", "--error-unmatch", "README.md"]
    if not (ROOT / "README.md").exists():
        known = subprocess.run(tracked, cwd=ROOT, capture_output=True, check=False)
        assert known.returncode != 0, "README.md is gone."
        pytest.skip("There is no README.md yet.")


@ALL_PAGES
def test_paths_exist(page: Path) -> None:
    gone = [str(found) for found in named_paths(page) if not (ROOT / found.text).exists()]
    assert not gone, "\n".join(gone)


@ALL_PAGES
def test_make_targets_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for found in commands(page):
        for program, *words in calls(found.text):
            if program == "make":
                asked = {word for word in words if word.isalpha()}
                assert asked <= targets, str(found)


@ALL_PAGES
def test_bosun_commands_exist(page: Path, bosun: click.Command) -> None:
    for found in commands(page):
        for program, *words in calls(found.text):
            if program == "bosun":
                assert (word := unknown_to(bosun, words)) is None, f"{found}: bosun does not know {word!r}"


@ALL_PAGES
def test_blocks_marked_run_succeed(page: Path, tmp_path: Path) -> None:
    path = os.pathsep.join([str(ROOT / ".venv/bin"), os.environ["PATH"]])
    environment = os.environ | {"PATH": path, "BOSUN_DATA": str(tmp_path)}
    for found in commands(page, only_run=True):
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", found.text],
            cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        assert done.returncode == 0, f"{found}\n{done.stdout}{done.stderr}"


# --- The check itself --------------------------------------------------------------------------------------

SAMPLE = """
See [the ground](../Makefile#up), `tests/conftest.py`, `tools/gone.py` and [a page](gone.md "title").
Free: `rules/*.yaml`, `name`, `a/b`, [site](http://localhost/x).

```sh
make up   # comment
FOO=1 make test && bosun init DIR | cat
```

```console
$ python -m bot rules \\
    explain
output
```

```sh run
true
```

```python
make = nonsense
```
"""


@pytest.fixture
def sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("tests.ground.test_docs.ROOT", tmp_path)
    page = tmp_path / "docs" / "sample.md"
    page.parent.mkdir()
    page.write_text(SAMPLE)
    return page


def test_paths_are_found_in_links_and_code(sample: Path) -> None:
    assert [found.text for found in named_paths(sample)] == [
        "Makefile", "tests/conftest.py", "tools/gone.py", "docs/gone.md",
    ]  # fmt: skip


def test_commands_are_found_in_shell_blocks(sample: Path) -> None:
    found = [call for found in commands(sample) for call in calls(found.text)]
    assert found == [
        ["make", "up"],
        ["make", "test"],
        ["bosun", "init", "DIR"],
        ["cat"],
        ["bosun", "rules", "explain"],
        ["true"],
    ]
    assert [found.text for found in commands(sample, only_run=True)] == ["true"]


def test_unknown_subcommands_and_options_are_named() -> None:
    leaf = click.Command("explain", params=[click.Option(["--as", "person"])])
    group = click.Group("bosun", commands={"rules": click.Group("rules", commands={"explain": leaf})})
    group.params.append(click.Option(["--charter"]))
    assert unknown_to(group, ["--charter", "folder", "rules", "explain"]) is None
    assert unknown_to(group, ["rules", "explain", "free words", "--as", "kim"]) is None
    assert unknown_to(group, ["rules", "explian"]) == "explian"
    assert unknown_to(group, ["rules", "explain", "--like=kim"]) == "--like"
