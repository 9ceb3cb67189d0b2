"""The database for commands that look at it, whether Bosun is running or not."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from kernel.errors import NotFound, StoreError
from kernel.store import migrations, open_store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kernel.config import Settings
    from kernel.store import Store


@contextmanager
def opened(settings: Settings) -> Iterator[Store]:
    """The database as it is; nothing is created or changed by opening it.

    NotFound where Bosun has not been started yet, StoreError where the tables are of another version.
    """
    if settings.database_url is None and not settings.data.joinpath("bosun.sqlite3").exists():
        raise NotFound(
            f"There is nothing in {settings.data} yet.", hint="Start Bosun with `bosun up`, or set BOSUN_DATA."
        )
    store = open_store(settings.database)
    try:
        if not migrations.is_current(store):
            raise StoreError("The database is of another version.", hint="`bosun up` brings it to this one.")
        yield store
    finally:
        store.close()
