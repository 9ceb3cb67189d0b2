"""Source: the documents in a git repository, as its branch has them. A clone of our own is kept up to date."""

from __future__ import annotations

import asyncio
import base64
import os
from functools import partial
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from pydantic import Field

from knowledge.engine.blocks import first_heading
from knowledge.engine.documents import Document, Origin
from knowledge.engine.hashing import content_hash
from knowledge.engine.readable import check_size
from knowledge.engine.reading import suffix_of
from knowledge.engine.source import Item, SourceAway, SourceCutOff
from knowledge.engine.source_settings import SourceSettings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from knowledge.engine.source_settings import Surroundings

PATIENCE = 300.0  # seconds for a clone
DOCUMENTS = ("*.md", "*.txt", "*.rst", "*.html", "*.pdf", "*.docx", "*.xlsx", "*.pptx")
ANYBODY = "x-access-token"  # GitHub's name for whoever has a token; GitLab, Gitea and others take any
REFUSALS = ("authentication failed", "could not read username", "permission denied", "repository not found", "403")


class Settings(SourceSettings):
    """A git repository."""

    kind: Literal["git"]
    url: str  # https://..., ssh://..., git@host:..., or a path
    branch: str = Field(default="", pattern=r"[\w./-]*")  # "": the repository's own
    below: str = ""  # only files below this folder
    files: tuple[str, ...] = DOCUMENTS  # patterns of names
    link: str = ""  # how a file opens: "https://git.example.org/acme/wiki/blob/main/{path}"
    token: str = ""  # name of the secret with a token for https
    origin: Origin | None = None  # member_text: members of the team alone write there; None: unless anybody may read it

    @property
    def label(self) -> Origin:
        """Whose text it is. What is read over the web without a token is public, and anybody's."""
        is_public = self.url.startswith(("http://", "https://", "git://")) and not self.token
        return self.origin or ("outside_text" if is_public else "member_text")


class Git:
    """The repository's files. The id of a file's content is its version: what is unchanged is not read again."""

    kind = "git"
    complete = True

    def __init__(self, settings: Settings, around: Surroundings) -> None:
        self.name = f"git:{settings.name}"
        self.title = settings.url
        self.readers = around.readers(settings)
        self._settings = settings
        self._around = around

    async def items(self) -> AsyncIterator[Item]:
        clone = await self._clone()
        listing = await self._git(clone, "ls-tree", "-r", "-l", "-z", "HEAD")
        for line in listing.decode("utf-8", "replace").split("\0"):
            about, _, path = line.partition("\t")
            if not path or not self._wanted(path):
                continue
            _mode, kind, blob, size = about.split()
            if kind == "blob":
                version = f"{blob} {self._settings.label}"
                yield Item(key=path, version=version, load=partial(self._load, clone, path, blob, int(size)))

    def _wanted(self, path: str) -> bool:
        if self._settings.below and not path.startswith(self._settings.below.rstrip("/") + "/"):
            return False
        return any(PurePosixPath(path).match(pattern) for pattern in self._settings.files)

    async def _load(self, clone: Path, path: str, blob: str, size: int) -> Document:
        suffix_of(path)
        check_size(size)
        parsed = await self._around.files.read(path, await self._git(clone, "cat-file", "blob", blob))
        heading = first_heading(parsed.text) if parsed.format == "markdown" else ""
        return Document(
            source=self.name,
            key=path,
            kind="code",
            title=parsed.title or heading or path,
            text=parsed.text,
            format=parsed.format,
            readers=self.readers,
            origin="outside_text" if parsed.by_model else self._settings.label,
            url=self._settings.link.format(path=path) if self._settings.link else "",
        )

    async def _clone(self) -> Path:
        """Our clone, brought to what the repository has now."""
        if self._around.work is None:
            raise SourceAway("There is no folder for clones.")
        clone = self._around.work / content_hash(self._settings.url, self._settings.branch)[:16]
        reference = self._settings.branch or "HEAD"
        if not (clone / "HEAD").is_file():
            clone.parent.mkdir(parents=True, exist_ok=True)
            await self._git(clone.parent, "init", "--bare", "--quiet", clone.name)
        # The branch is fetched anew, whatever became of its history.
        await self._git(clone, "fetch", "--quiet", "--depth=1", self._settings.url, reference)
        await self._git(clone, "update-ref", "--no-deref", "HEAD", "FETCH_HEAD")
        return clone

    async def _git(self, folder: Path, *arguments: str) -> bytes:
        secret = self._around.secret(self._settings.token) if self._settings.token else None
        safe = {"GIT_TERMINAL_PROMPT": "0", "GIT_CONFIG_NOSYSTEM": "1", "GIT_ALLOW_PROTOCOL": "https:http:ssh:file"}
        if secret:  # in the environment of this one process, not on its command line; for this server alone
            home = "{0.scheme}://{0.netloc}/".format(urlsplit(self._settings.url))
            basic = base64.b64encode(f"{ANYBODY}:{secret}".encode()).decode()
            safe |= {
                "GIT_CONFIG_COUNT": "1",
                "GIT_CONFIG_KEY_0": f"http.{home}.extraHeader",
                "GIT_CONFIG_VALUE_0": f"Authorization: Basic {basic}",
            }
        try:
            process = await asyncio.create_subprocess_exec(
                "git",
                "-c",
                "core.hooksPath=/dev/null",
                *arguments,
                cwd=folder,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env={**os.environ, **safe},
            )
        except FileNotFoundError as error:
            raise SourceAway("git is not installed on this machine.") from error
        try:
            async with asyncio.timeout(PATIENCE):
                out, err = await process.communicate()
        except TimeoutError as error:
            process.kill()
            raise SourceAway(f"{self._settings.url} did not answer in time.") from error
        if process.returncode:
            said = err.decode("utf-8", "replace").strip().replace(secret or "\0", "***")
            refused = any(words in said.lower() for words in REFUSALS)
            kind = SourceCutOff if refused else SourceAway
            raise kind(f"git cannot read {self._settings.url}: {said.splitlines()[-1] if said else 'it failed'}")
        return out


def open_source(settings: Settings, around: Surroundings) -> Git:
    """The repository that the charter names."""
    return Git(settings, around)
