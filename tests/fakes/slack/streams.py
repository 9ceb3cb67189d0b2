"""Messages that grow: what a stream takes, and when Slack closes it."""

from __future__ import annotations

from typing import Any

from tests.fakes.slack.world import Json, SlackError, World

STATUSES = {"pending", "in_progress", "complete", "error"}


def begin(world: World, message: Json, args: Json) -> None:
    """Make the message one that grows."""
    if args.get("task_display_mode", "timeline") not in {"timeline", "plan"}:
        raise SlackError("invalid_arguments")
    message["stream"] = {"open": True, "begun": world.now(), "title": "", "tasks": {}, "text": ""}
    _take(message, args.get("chunks") or [])
    world.counts["streams"] += 1


def is_open(world: World, message: Json) -> bool:
    """Whether the message still grows."""
    stream = message.get("stream")
    if stream is not None and world.now() - stream["begun"] > world.stream_life:
        stream["open"] = False
    return bool(stream and stream["open"])


def grow(world: World, message: Json | None, args: Json) -> None:
    """Add chunks."""
    if message is None or not is_open(world, message):
        raise SlackError("message_not_in_streaming_state")
    _take(message, args.get("chunks") or [])


def _take(message: Json, chunks: list[Json]) -> None:
    stream = message["stream"]
    for chunk in chunks:
        _one(stream, chunk)
    if len(stream["text"]) > 12_000:
        raise SlackError("msg_too_long")
    tasks = [
        f"{task['title']} ({task['status']}) {task.get('details', '')}".strip() for task in stream["tasks"].values()
    ]
    message["text"] = "\n".join(part for part in (stream["title"], *tasks, stream["text"]) if part)


def _one(stream: Json, chunk: dict[str, Any]) -> None:
    match chunk.get("type"):
        case "markdown_text" if chunk.get("text"):
            stream["text"] += chunk["text"]
        case "plan_update" if chunk.get("title"):
            stream["title"] = chunk["title"]
        case "task_update" if chunk.get("id") and chunk.get("title") and chunk.get("status") in STATUSES:
            stream["tasks"][chunk["id"]] = chunk
        case _:
            raise SlackError("invalid_chunks")
