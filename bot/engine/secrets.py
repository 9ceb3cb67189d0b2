"""The secrets that the charter names: read once, removed from the environment, handed out by the door alone."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from kernel.config import take_secrets

if TYPE_CHECKING:
    from collections.abc import Iterable, MutableMapping

    from kernel.config import Secret


class Secrets(Mapping[str, str]):
    """Values by name, for the door. What is not set is not in it."""

    def __init__(self, environ: MutableMapping[str, str] = os.environ) -> None:
        self._environ = environ
        self._values: dict[str, Secret] = {}

    def take(self, names: Iterable[str]) -> None:
        """Read those of `names` that are set and not read yet. ConfigError where a NAME_FILE cannot be read."""
        self._values |= take_secrets(sorted(set(names) - set(self._values)), self._environ)

    def __getitem__(self, name: str) -> str:
        return self._values[name].reveal()

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Secrets({', '.join(sorted(self._values))})"
