"""`python -m kernel.store.migrations MESSAGE`: writes the next file in versions/ from the tables in the code."""

import sys
import tempfile
from pathlib import Path

from alembic import command

from kernel.store.database import open_store
from kernel.store.migrations import FOLDER, config, upgrade


def main(message: str) -> None:
    """Compare the tables with what the migrations so far make of an empty database, and write the difference."""
    number = 1 + max((int(path.stem.split("_")[0]) for path in (FOLDER / "versions").glob("[0-9]*.py")), default=0)
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(f"sqlite:///{Path(folder) / 'empty.sqlite3'}")
        if number > 1:
            upgrade(store)
        settings = config()
        settings.set_main_option("file_template", "%%(rev)s_%%(slug)s")
        with store.engine.connect() as connection:
            settings.attributes["connection"] = connection
            command.revision(settings, message, autogenerate=True, rev_id=f"{number:04d}")
        store.close()


if __name__ == "__main__":
    main(" ".join(sys.argv[1:]) or "changes")
