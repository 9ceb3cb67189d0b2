"""Acting once on a service that cannot tell a repetition: what is begun is committed before it is begun."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel.store import attempts

if TYPE_CHECKING:
    from kernel.store.attempts import Attempt
    from kernel.types import Json
    from tools.engine.context import ToolContext


async def begin(ctx: ToolContext, tool: str) -> Attempt | None:
    """Commit that the call is about to act. The earlier attempt where it was begun before: it may have happened."""
    return await ctx.store.write(lambda session: attempts.begin(session, ctx.call_id, tool, ctx.clock.now()))


async def finish(ctx: ToolContext, outcome: Json) -> None:
    """Keep what the service answered: a repetition of the call returns it."""
    await ctx.store.write(lambda session: attempts.finish(session, ctx.call_id, outcome))


async def forget(ctx: ToolContext) -> None:
    """It certainly did not happen."""
    await ctx.store.write(lambda session: attempts.forget(session, ctx.call_id))
