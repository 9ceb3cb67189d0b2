"""Takes the pictures in docs/images from the running product: `python -m tests.web.pictures`."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import socket
import sys
import tempfile
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.async_api import Browser, Page, async_playwright

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ROOT = Path(__file__).parents[2]
IMAGES = ROOT / "docs" / "images"
QUESTION = "@bosun How long do refunds take?"
PAYMENT = '@bosun finance: queue_payment payee="ACME" amount=420 currency=EUR reference="Invoice 1881" why="Paper"'


@asynccontextmanager
async def product() -> AsyncIterator[str]:
    """The product with the starter charter and an empty data folder; gives its login link."""
    with socket.socket() as free, tempfile.TemporaryDirectory() as data:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        environment = {**os.environ, "BOSUN_DATA": data, "BOSUN_WEB": f"127.0.0.1:{port}"}
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", "up", cwd=ROOT, env=environment, stdout=asyncio.subprocess.PIPE
        )
        try:
            yield await asyncio.wait_for(_link(process), 180)
        finally:
            process.terminate()
            await process.wait()


async def _link(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    async for line in process.stdout:
        found = re.search(rb"http://\S+/login\S+", line)
        if found:
            return found[0].decode()
    raise RuntimeError("Bosun ended before it was ready.")


async def look(browser: Browser, link: str, *, width: int, height: int, dark: bool = False) -> Page:
    """A page of the given size."""
    context = await browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if dark else "light",
        device_scale_factor=2,
        reduced_motion="reduce",
        locale="en-GB",
    )
    page = await context.new_page()
    await page.goto(link)
    await page.locator("h1").wait_for()
    return page


async def ask(page: Page, text: str, answer: str) -> None:
    """Say something in the channel and wait for what it brings."""
    box = page.locator(".channel-pane textarea")
    await box.fill(text)
    await box.press("Enter")
    await page.locator(f".thread-pane .by-bosun {answer}").first.wait_for()
    await page.locator(".thread-pane .message:not(.pending)").nth(1).wait_for()


async def become(page: Page, person: str) -> None:
    """Switch the persona."""
    await page.locator(f'[data-person="{person}"]').click()
    await page.locator(f'[data-person="{person}"][aria-pressed="true"]').wait_for()
    await page.locator(".pane h1").wait_for()


async def quiet(page: Page) -> None:
    """Nothing that only somebody in the middle of something would see."""
    for dismiss in await page.locator(".toast button, .note button").all():
        await dismiss.click()
    await page.mouse.move(0, 0)
    await page.evaluate("document.activeElement.blur()")


async def take(browser: Browser, link: str) -> None:
    """Live through the first minutes with Bosun and take the pictures on the way."""
    page = await look(browser, link, width=1360, height=900)
    await ask(page, QUESTION, ".sources")
    await ask(page, PAYMENT, ".card")
    await become(page, "bo")
    await page.locator(".thread-pane .card button").first.wait_for()
    cookies = await page.context.cookies()

    for name, path, width, height in (("approval-dark", "/home", 1360, 900), ("phone", page.url, 390, 844)):
        context = await browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if "dark" in name else "light",
            device_scale_factor=2,
            locale="en-GB",
        )
        await context.add_cookies(cookies)  # type: ignore[arg-type]  # what it returns is what it takes
        other = await context.new_page()
        await other.goto(link.split("/login", maxsplit=1)[0] + path if path.startswith("/") else path)
        await other.locator(".card button").first.wait_for()
        await quiet(other)
        await other.screenshot(path=IMAGES / f"{name}.png")

    await page.get_by_role("button", name="Approve", exact=True).click()
    await page.locator("dialog .primary").click()
    await page.locator(".thread-pane .card.tone-good").wait_for()
    await page.locator(".thread-pane .by-bosun:not(.note) .prose").wait_for()
    await page.locator(".thread-pane .note").wait_for()
    await quiet(page)
    await page.screenshot(path=IMAGES / "chat.png")


async def main() -> None:
    """Take all pictures."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    async with product() as link, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        await take(browser, link)
        await browser.close()


if __name__ == "__main__":
    asyncio.run(main())
