"""Yardstick A: a slack-bolt handler on the anthropic SDK as the manuals show it. Nothing is stored."""

from __future__ import annotations

import asyncio
import os
from typing import Any

from anthropic import AsyncAnthropic
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

app = AsyncApp(client=AsyncWebClient(os.environ["SLACK_BOT_TOKEN"], base_url=os.environ["SLACK_API_URL"]))
model = AsyncAnthropic()


@app.event("app_mention")
async def mentioned(event: dict[str, Any], say: Any) -> None:
    """Ask the model and answer in the thread."""
    answer = await model.messages.create(
        model="bench", max_tokens=1024, messages=[{"role": "user", "content": event["text"]}]
    )
    text = "".join(block.text for block in answer.content if block.type == "text")
    await say(text=text, thread_ts=event["ts"])


async def main() -> None:
    """Serve for ever."""
    handler = AsyncSocketModeHandler(app, os.environ["SLACK_APP_TOKEN"])
    await handler.start_async()  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    asyncio.run(main())
