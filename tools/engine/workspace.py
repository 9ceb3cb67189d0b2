"""The folder of the file tools, which no path leads out of.

Every path is walked from an open folder, one name at a time, and no symbolic link is ever followed: there is no
moment between check and use in which a link could be put in the way. Text only, of limited size.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tools.engine.failure import CannotDo

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LARGEST_FILE = 256_000  # bytes
LONGEST_NAME = 100  # bytes of one name; file systems allow 255, less a suffix for the new version
DEEPEST = 8  # folders
MOST_LISTED = 500  # files

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK  # a pipe must not make us wait
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A file in the workspace."""

    path: str
    size: int  # bytes


class Workspace:
    """A folder with text files. The methods block: call them in a thread. Refusals are CannotDo."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def read(self, path: str) -> str:
        """The text of a file."""
        names = names_of(path)
        with self._folder(names[:-1]) as folder:
            return _read(folder, names[-1], path)

    def read_if_there(self, path: str) -> str | None:
        """The text of a file, None where there is none; CannotDo if it is not text."""
        names = names_of(path)
        try:
            with self._folder(names[:-1]) as folder:
                return _read(folder, names[-1], path)
        except NotThere:
            return None

    def write(self, path: str, text: str, token: str) -> None:
        """Put the text in place at once: a reader sees the old file or the new one, also after a power cut.

        `token` names the new version while it is written, so that what a crash left is overwritten by the repetition.
        """
        names = names_of(path)
        content = text.encode()
        if len(content) > LARGEST_FILE:
            raise CannotDo(f"The text has {len(content):,} bytes; a file may have {LARGEST_FILE:,}.")
        with self._folder(names[:-1], create=True) as folder:
            _refuse_other_kinds(folder, names[-1], path)
            _replace(folder, names[-1], content, f".{names[-1]}.{token}.new")

    def listing(self, folder: str) -> list[Listed]:
        """The files of a folder and of those below it, in order of path, at most MOST_LISTED."""
        names = names_of(folder) if folder.strip("/. ") else ()
        found: list[Listed] = []
        with self._folder(names) as start:
            _collect(start, "/".join(names), DEEPEST - len(names), found)
        return sorted(found, key=lambda file: file.path)

    @contextlib.contextmanager
    def _folder(self, names: tuple[str, ...], *, create: bool = False) -> Iterator[int]:
        """The folder as an open descriptor. The workspace itself is made when it is first needed."""
        self._root.mkdir(parents=True, exist_ok=True)
        here = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for name in names:
                if create:
                    with contextlib.suppress(FileExistsError):
                        os.mkdir(name, dir_fd=here)
                below = _open(name, _FOLDER, here, "/".join(names))
                os.close(here)
                here = below
            yield here
        finally:
            os.close(here)


class NotThere(CannotDo):
    """There is no such file."""


def names_of(path: str) -> tuple[str, ...]:
    """The names along a relative path; CannotDo for everything that is not plainly one."""
    names = tuple(path.split("/"))
    if len(names) > DEEPEST + 1:
        raise CannotDo(f"A path has at most {DEEPEST} folders.")
    for name in names:
        if problem := _problem(name):
            raise CannotDo(f"This is not a path in the workspace: {problem}. Write it like reports/march.md.")
    return names


def _problem(name: str) -> str:
    if not name:
        return "it has an empty part (it may not begin or end with a slash)"
    if name.startswith("."):
        return "a part begins with a dot"
    if "\\" in name or ":" in name:
        return "it contains a backslash or a colon"
    if name != name.strip() or name.endswith("."):
        return "a part begins or ends with a space or ends with a dot"
    # Invisible and direction-changing characters would let a card show another path than the one that is written.
    if any(unicodedata.category(character)[0] == "C" or not character.isprintable() for character in name):
        return "it contains characters that cannot be seen"
    if unicodedata.normalize("NFC", name) != name:
        return "it contains characters in an unusual form"
    if len(name.encode()) > LONGEST_NAME:
        return f"a part is longer than {LONGEST_NAME} bytes"
    return ""


def digest_of(text: str) -> str:
    """SHA-256 of the file that holds this text."""
    return hashlib.sha256(text.encode()).hexdigest()


def _open(name: str, flags: int, folder: int, path: str) -> int:
    try:
        return os.open(name, flags, 0o644, dir_fd=folder)
    except FileNotFoundError as error:
        raise NotThere(f"There is no {path} in the workspace.") from error
    except OSError as error:  # a link (ELOOP), a file where a folder should be, no right to read
        raise CannotDo(f"{path} cannot be opened: {os.strerror(error.errno or 0).lower()}.") from error


def _read(folder: int, name: str, path: str) -> str:
    descriptor = _open(name, _READ, folder, path)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise CannotDo(f"{path} is not a file.")
    with os.fdopen(descriptor, "rb") as file:
        content = file.read(LARGEST_FILE + 1)
    if len(content) > LARGEST_FILE:
        raise CannotDo(f"{path} is larger than {LARGEST_FILE:,} bytes.")
    if b"\0" in content:
        raise CannotDo(f"{path} is not a text file.")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise CannotDo(f"{path} is not a text file in UTF-8.") from error


def _refuse_other_kinds(folder: int, name: str, path: str) -> None:
    try:
        mode = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISREG(mode):
        raise CannotDo(f"{path} is not a file, so it is not replaced.")


def _replace(folder: int, name: str, content: bytes, fresh: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(fresh, dir_fd=folder)  # left by a crash
    descriptor = os.open(fresh, _NEW, 0o644, dir_fd=folder)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(fresh, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(fresh, dir_fd=folder)
        raise
    os.fsync(folder)


def _collect(folder: int, prefix: str, depth: int, found: list[Listed]) -> None:
    with os.scandir(folder) as entries:
        visible = sorted((entry for entry in entries if not _problem(entry.name)), key=lambda entry: entry.name)
    for entry in visible:
        if len(found) >= MOST_LISTED:
            return
        path = f"{prefix}/{entry.name}" if prefix else entry.name
        try:
            status = os.stat(entry.name, dir_fd=folder, follow_symlinks=False)
            if stat.S_ISREG(status.st_mode):
                found.append(Listed(path=path, size=status.st_size))
            elif stat.S_ISDIR(status.st_mode) and depth > 0:
                below = os.open(entry.name, _FOLDER, dir_fd=folder)
                try:
                    _collect(below, path, depth - 1, found)
                finally:
                    os.close(below)
        except OSError:  # removed or replaced by a link while we looked
            continue
