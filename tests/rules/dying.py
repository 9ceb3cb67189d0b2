"""A process that hands one call to the door and dies inside the tool. Run as: python -m tests.rules.dying ..."""

import asyncio
import json
import sys
from pathlib import Path

from kernel.store import open_store
from kernel.types import RunFacts
from tests.rules.world import World


async def main(url: str, folder: str, facts: str, tool: str, arguments: str) -> None:
    world = World(open_store(url), Path(folder))
    await world.act(RunFacts.model_validate_json(facts), tool, **json.loads(arguments))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
