"""The folder of the file tools, which no path leads out of.

Every path is walked from an open folder, one name at a time, and no symbolic link is ever followed: there is no
moment between check and use in which a link could be put in the way. What is deleted lies in the folder's trash, whose
name no path can hold, until it is taken back or has been there for long.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tools.engine.failure import CannotDo, NotThere
from tools.engine.files.paths import DEEPEST, names_of, problem_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LARGEST_FILE = 256_000  # bytes of a text
LARGEST_DOCUMENT = 20_000_000  # bytes of anything else
TRASH = ".trash"
MOST_LISTED = 500  # files

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK  # a pipe must not make us wait
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A file in the workspace."""

    path: str
    size: int  # bytes


@dataclass(frozen=True, kw_only=True)
class Quota:
    """How much a workspace may hold, its trash included."""

    size: int  # bytes
    files: int


class Workspace:
    """A folder with files. The methods block: call them in a thread. Refusals are CannotDo."""

    def __init__(self, root: Path, quota: Quota | None = None) -> None:
        self._root = root
        self._quota = quota

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

    def content(self, path: str) -> bytes:
        """The bytes of a file, whatever is in it."""
        names = names_of(path)
        with self._folder(names[:-1]) as folder:
            return _content(folder, names[-1], path, LARGEST_DOCUMENT)

    def has(self, path: str) -> bool:
        """Whether there is a file."""
        names = names_of(path)
        try:
            with self._folder(names[:-1]) as folder:
                return stat.S_ISREG(os.stat(names[-1], dir_fd=folder, follow_symlinks=False).st_mode)
        except (NotThere, FileNotFoundError):
            return False

    def write(self, path: str, text: str, token: str) -> None:
        """Put the text in place at once: a reader sees the old file or the new one, also after a power cut.

        `token` names the new version while it is written, so that what a crash left is overwritten by the repetition.
        """
        content = text.encode()
        if len(content) > LARGEST_FILE:
            raise CannotDo(f"The text has {len(content):,} bytes; a file may have {LARGEST_FILE:,}.")
        self.put(path, content, token)

    def put(self, path: str, content: bytes, token: str) -> None:
        """`write` for bytes."""
        names = names_of(path)
        if len(content) > LARGEST_DOCUMENT:
            raise CannotDo(f"It has {len(content):,} bytes; a file may have {LARGEST_DOCUMENT:,}.")
        self._make_room(len(content))
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

    def move(self, path: str, to: str) -> None:
        """Give a file another path; CannotDo, and nothing changed, where something is there."""
        source, target = names_of(path), names_of(to)
        if source == target:
            raise CannotDo(f"{path} is there already.")
        with self._folder(source[:-1]) as here, self._folder(target[:-1], create=True) as there:
            _relink(here, source[-1], path, there, target[-1], to)

    def trash(self, path: str, token: str) -> None:
        """Put a file into the trash, under the name `token`."""
        names = names_of(path)
        with self._folder(names[:-1]) as here, self._folder((TRASH,), create=True) as bin_:
            _relink(here, names[-1], path, bin_, token, "the trash")

    def in_trash(self, token: str) -> bool:
        """Whether something lies in the trash under this name."""
        with self._folder((TRASH,), create=True) as bin_:
            return token in _entries(bin_)

    def restore(self, path: str, token: str) -> None:
        """Take a file out of the trash and put it back; NotThere if it is there no longer."""
        names = names_of(path)
        with self._folder((TRASH,), create=True) as bin_, self._folder(names[:-1], create=True) as there:
            _relink(bin_, token, path, there, names[-1], path)

    def empty_trash(self, before: float) -> None:
        """Delete for good what was put into the trash before this moment (seconds since 1970)."""
        with self._folder((TRASH,), create=True) as bin_:
            for entry in _entries(bin_):
                with contextlib.suppress(FileNotFoundError):
                    # The time of the change: putting a file into the trash changes its links.
                    if os.stat(entry, dir_fd=bin_, follow_symlinks=False).st_ctime < before:
                        os.unlink(entry, dir_fd=bin_)

    def used(self) -> Quota:
        """How much lies in the workspace."""
        size = files = 0
        with self._folder(()) as start:
            for _, _, names, folder in os.fwalk(".", dir_fd=start, follow_symlinks=False):
                for name in names:
                    with contextlib.suppress(FileNotFoundError):
                        size += os.stat(name, dir_fd=folder, follow_symlinks=False).st_size
                        files += 1
        return Quota(size=size, files=files)

    def _make_room(self, more: int) -> None:
        if self._quota is None:
            return
        used = self.used()
        if used.size + more > self._quota.size:
            raise CannotDo(
                f"The workspace holds {used.size:,} of {self._quota.size:,} bytes; {more:,} more do not fit."
            )
        if used.files + 1 > self._quota.files:
            raise CannotDo(f"The workspace holds {used.files:,} files, and no more are allowed.")

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


def digest_of(text: str) -> str:
    """SHA-256 of the file that holds this text."""
    return bytes_digest(text.encode())


def bytes_digest(content: bytes) -> str:
    """SHA-256 of a file, which knows it by its content."""
    return hashlib.sha256(content).hexdigest()


def _open(name: str, flags: int, folder: int, path: str) -> int:
    try:
        return os.open(name, flags, 0o644, dir_fd=folder)
    except FileNotFoundError as error:
        raise NotThere(f"There is no {path} in the workspace.") from error
    except OSError as error:  # a link (ELOOP), a file where a folder should be, no right to read
        raise CannotDo(f"{path} cannot be opened: {os.strerror(error.errno or 0).lower()}.") from error


def _content(folder: int, name: str, path: str, largest: int) -> bytes:
    descriptor = _open(name, _READ, folder, path)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise CannotDo(f"{path} is not a file.")
    with os.fdopen(descriptor, "rb") as file:
        content = file.read(largest + 1)
    if len(content) > largest:
        raise CannotDo(f"{path} is larger than {largest:,} bytes.")
    return content


def _read(folder: int, name: str, path: str) -> str:
    return text_in(_content(folder, name, path, LARGEST_FILE), path)


def text_in(content: bytes, path: str) -> str:
    """The text that the bytes of a file are; CannotDo if they are none."""
    if b"\0" in content:
        raise CannotDo(f"{path} is not a text file.")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise CannotDo(f"{path} is not a text file in UTF-8.") from error


def _entries(folder: int) -> list[str]:
    with os.scandir(folder) as entries:
        return [entry.name for entry in entries]


def _relink(  # noqa: PLR0917  two places, each with its name, and how people call them
    here: int, name: str, path: str, there: int, target: str, to: str
) -> None:
    """Move a file without ever replacing one; what a crash left half done is finished by the repetition."""
    try:
        mode = os.stat(name, dir_fd=here, follow_symlinks=False).st_mode
    except FileNotFoundError as error:
        raise NotThere(f"There is no {path} in the workspace.") from error
    if not stat.S_ISREG(mode):
        raise CannotDo(f"{path} is not a file.")
    try:
        os.link(name, target, src_dir_fd=here, dst_dir_fd=there, follow_symlinks=False)
    except FileExistsError as error:
        if not os.path.samestat(
            os.stat(name, dir_fd=here, follow_symlinks=False), os.stat(target, dir_fd=there, follow_symlinks=False)
        ):
            raise CannotDo(f"There is something at {to} already.") from error
    os.unlink(name, dir_fd=here)
    os.fsync(there)
    os.fsync(here)


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
        visible = sorted((entry for entry in entries if not problem_of(entry.name)), key=lambda entry: entry.name)
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
