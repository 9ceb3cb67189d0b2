"""Acting once where a repetition cannot be told by itself: what is begun or planned is committed before it is begun."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel.store import attempts

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from kernel.store import Session
    from kernel.store.attempts import Attempt
    from kernel.types import Json
    from tools.engine.context import ToolContext


async def begin(ctx: ToolContext, tool: str) -> Attempt | None:
    """Commit that the call is about to act. The earlier attempt where it was begun before: it may have happened."""
    return await ctx.store.write(lambda session: attempts.begin(session, ctx.call_id, tool, ctx.clock.now()))


async def planned(ctx: ToolContext, tool: str, plan: Callable[[], Awaitable[Json]]) -> Json:
    """What the call is going to change, worked out once: a repetition gets the same, although the change was made."""
    known = await ctx.store.read(lambda session: attempts.get(session, ctx.call_id))
    if known is not None:
        return known.outcome
    made = await plan()

    def commit(session: Session) -> None:
        attempts.begin(session, ctx.call_id, tool, ctx.clock.now())
        attempts.finish(session, ctx.call_id, made)

    await ctx.store.write(commit)
    return made


async def finish(ctx: ToolContext, outcome: Json) -> None:
    """Keep what the service answered: a repetition of the call returns it."""
    await ctx.store.write(lambda session: attempts.finish(session, ctx.call_id, outcome))


async def forget(ctx: ToolContext) -> None:
    """It certainly did not happen."""
    await ctx.store.write(lambda session: attempts.forget(session, ctx.call_id))
