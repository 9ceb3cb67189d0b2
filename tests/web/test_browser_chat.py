"""The page in a real browser: talking, threads, streaming, resuming, hostile text. A broken policy fails each test."""

import re
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, Request, Route, expect

from kernel.types import Card, Place, Text
from tests.web.conftest import Chat, Problems, Visit

GENERAL = Place(platform="web", tenant="local", channel="general")


async def write(page: Page, text: str, pane: str = ".channel-pane") -> None:
    """Type a message and press Enter, again where the page was still being drawn at the first time."""
    box = page.locator(f"{pane} textarea")
    await box.fill(text)
    await box.press("Enter")
    try:
        await expect(box).to_have_value("", timeout=2_000)
    except AssertionError:
        await box.press("Enter")


async def test_a_mention_is_answered_in_a_thread_that_opens_beside_it(visit: Visit) -> None:
    page = await visit("ann")
    await write(page, "@bosun what is our refund policy?")
    thread = page.locator(".thread-pane")
    await expect(thread.locator(".message")).to_have_count(2)
    await expect(thread.locator(".message").nth(1)).to_contain_text("You said: what is our refund policy?")
    await expect(thread.locator(".by-bosun .agent")).to_have_text("echo")
    await expect(page.locator(".channel-pane .thread-link")).to_contain_text("1 reply")
    await expect(page.locator(".channel-pane .reaction")).to_have_attribute("aria-label", "Bosun has seen this")
    await expect(page.locator(".channel-pane .message .mention.us")).to_have_text("@Bosun")
    await write(page, "and abroad?", ".thread-pane")
    await expect(thread.locator(".message")).to_have_count(4)
    await expect(page.locator(".channel-pane .thread-link")).to_contain_text("3 replies")
    await page.keyboard.press("Escape")
    await expect(thread).to_have_count(0)
    await expect(page).to_have_url(re.compile("/c/general$"))


async def test_sources_fold_out_and_open_the_passage(visit: Visit) -> None:
    page = await visit("ann")
    await write(page, "@bosun refunds?")
    await page.locator(".thread-pane .sources summary").click()
    await expect(page.locator(".sources blockquote")).to_have_text("Refunds up to EUR 200.")
    async with page.context.expect_page() as opened:
        await page.locator(".thread-pane .prose a.cite").click()
    document = await opened.value
    await expect(document.locator("section:target")).to_contain_text("Refunds up to EUR 200 need no approval.")


@pytest.mark.behaviour(34)
async def test_thumbs_below_an_answer_are_pressed_with_the_keyboard_and_stay_pressed(visit: Visit, chat: Chat) -> None:
    page = await visit("ann")
    await write(page, "@bosun refunds?")
    good, bad = (page.get_by_role("button", name=name, exact=True) for name in ("Helpful", "Not helpful"))
    thumbs = page.get_by_role("group", name="Did this answer help?")
    await expect(thumbs).to_have_count(1)
    await good.focus()
    await page.keyboard.press("Enter")
    await expect(good).to_have_attribute("aria-pressed", "true")
    await expect(thumbs.get_by_role("status")).to_have_text("Thanks, noted")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Space")
    dialog = page.get_by_role("dialog", name="What was wrong?")
    await expect(dialog.get_by_label("What was missing or wrong?")).to_be_focused()
    await page.keyboard.press("Escape")  # it counts all the same
    await expect(dialog).to_have_count(0)
    await expect(bad).to_have_attribute("aria-pressed", "true")
    await expect(bad).to_be_focused()
    await page.reload()
    await expect(bad).to_have_attribute("aria-pressed", "true")
    await expect(good).to_have_attribute("aria-pressed", "false")
    other = await visit("ann", page.url.removeprefix(chat.server.url))
    pressed = other.locator(".thread-pane .thumb[aria-pressed=true]")
    await expect(pressed).to_have_count(1)
    await bad.click()  # takes it back, in the other tab too
    await expect(pressed).to_have_count(0)
    assert chat.desk.said == {"ann": ""}
    await bad.click()
    await dialog.get_by_label("What was missing or wrong?").fill("No word of gift cards.")
    await dialog.get_by_role("button", name="Send").click()
    await expect(dialog).to_have_count(0)
    await expect(pressed).to_have_attribute("aria-label", "Not helpful")
    await chat.desk.idle()
    assert chat.desk.reasons == ["No word of gift cards."]


async def test_an_answer_grows_while_it_is_written_and_becomes_the_message(visit: Visit, chat: Chat) -> None:
    page = await visit("ann", "/c/dm-ann")
    await write(page, "stream please")
    progress = page.locator(".message .progress")
    await expect(progress.locator(".partial")).to_contain_text("Refunds up to EUR 200 need no approval.")
    await expect(progress.locator(".step.done")).to_have_count(2)
    await expect(progress.locator(".step.running")).to_have_count(1)
    await expect(page.locator("#announcer")).not_to_contain_text("Refunds")
    chat.desk.go_on.set()
    await expect(progress).to_have_count(0)
    await expect(page.locator(".by-bosun .prose strong")).to_have_text("That is all.")
    await expect(page.locator("#announcer")).to_contain_text("That is all.")
    await expect(page.locator(".composer-stop button")).to_have_count(0)


async def test_stop_ends_the_work_and_keeps_what_is_there(visit: Visit, chat: Chat) -> None:
    page = await visit("ann", "/c/dm-ann")
    await write(page, "stream please")
    await expect(page.locator(".partial")).to_contain_text("approval.")
    await page.locator(".composer-stop").get_by_role("button", name="Stop").click()
    await expect(page.locator(".by-bosun .prose")).to_contain_text("Stopped by you. This is what was there.")
    press = next(one.press for one in chat.desk.received if one.press)
    assert (press.subject, press.verb) == ("R-1", "stop")


async def test_two_tabs_and_two_people_see_the_same_at_once(visit: Visit) -> None:
    ann, bo = await visit("ann"), await visit("bo")
    second = await ann.context.new_page()
    await second.goto(ann.url)
    await expect(second.locator("textarea")).to_be_focused()
    await write(ann, "hello from the first tab")
    for page in (ann, second, bo):
        await expect(page.locator(".message .prose")).to_have_text("hello from the first tab")
    await write(second, "and from the second")
    for page in (ann, second, bo):
        await expect(page.locator(".message")).to_have_count(2)


async def test_after_a_lost_connection_nothing_is_missing_and_nothing_twice(
    visit: Visit, chat: Chat, problems: Problems
) -> None:
    problems.expect("Failed to load resource", "ERR_INTERNET_DISCONNECTED", "net::")
    page = await visit("ann")
    await write(page, "one")
    await expect(page.locator(".message:not(.pending)")).to_have_count(1)
    await page.context.set_offline(True)
    await page.evaluate("dispatchEvent(new Event('online'))")  # as after a change of network: connects again, in vain
    await expect(page.locator(".connection")).to_contain_text("Connection lost")
    await write(page, "@bosun two, written in a tunnel")
    await expect(page.locator(".failed").first).to_contain_text("no connection")
    await chat.desk.show(GENERAL, Text(markdown="three, said meanwhile"))
    await page.context.set_offline(False)
    await expect(page.locator(".connection")).to_be_hidden()
    await expect(page.locator(".channel-pane .message")).to_have_count(3)
    await expect(page.locator(".failed")).to_have_count(0)
    await expect(page.locator(".thread-link")).to_contain_text("1 reply")
    assert len([one for one in chat.desk.received if one.kind == "mention"]) == 1


async def test_an_answer_that_was_lost_on_the_way_does_not_make_the_message_twice(
    visit: Visit, chat: Chat, problems: Problems
) -> None:
    problems.expect("Failed to load resource", "net::")
    page = await visit("ann")
    lost: list[str] = []

    async def lose_the_first_answer(route: Route) -> None:
        await route.fetch()
        if lost:
            await route.continue_()
        else:
            lost.append(route.request.url)
            await route.abort("connectionreset")

    await page.route("**/api/messages", lose_the_first_answer)
    await write(page, "@bosun once")
    await expect(page.locator(".channel-pane .message:not(.pending)")).to_have_count(1)
    await expect(page.locator(".failed")).to_have_count(0)
    await chat.desk.idle()
    assert len(chat.desk.received) == 1


async def test_a_reload_shows_the_same_and_a_draft_is_kept(visit: Visit) -> None:
    page = await visit("ann")
    await write(page, "@bosun hello")
    await expect(page.locator(".thread-pane .message")).to_have_count(2)
    await page.locator(".thread-pane textarea").fill("half a thou")
    await page.reload()
    await expect(page.locator(".thread-pane .message")).to_have_count(2)
    await expect(page.locator(".thread-pane textarea")).to_have_value("half a thou")
    await expect(page.locator(".channel-pane .message")).to_have_count(1)


async def test_code_is_copied_with_a_button_and_a_browser_that_forbids_it_is_no_error(visit: Visit) -> None:
    page = await visit("ann", "/c/dm-ann", permissions=["clipboard-read", "clipboard-write"])
    await write(page, "hostile")
    button = page.get_by_role("button", name="Copy the code")
    await button.click()
    await expect(page.locator(".toast")).to_have_text("Copied.")
    assert await page.evaluate("navigator.clipboard.readText()") == "never closed **bold"
    await page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('no')); }")
    await button.click()
    await expect(page.locator(".toast").last).to_contain_text("copy it yourself")


async def test_hostile_text_stays_text(visit: Visit, chat: Chat) -> None:
    page = await visit("ann", "/c/dm-ann")
    foreign: list[str] = []

    def note(request: Request) -> None:
        if not request.url.startswith(chat.server.url):
            foreign.append(request.url)

    page.on("request", note)
    await write(page, "hostile <img src=x onerror=\"document.title='owned'\"> [x](javascript:document.title='owned')")
    answer = page.locator(".by-bosun .prose")
    await expect(answer).to_contain_text("<img src=x onerror=")
    await expect(answer).to_contain_text("@everyone")
    await chat.desk.show(
        chat.server.adapter.place("dm-ann"),
        Card(headline="<img src=x onerror=alert(1)>", state="<b>Waiting</b>", text="<script>alert(1)</script>"),
    )
    await expect(page.locator(".card h3")).to_have_text("<img src=x onerror=alert(1)>")
    assert await page.locator("main .prose :is(img, script, style, iframe, svg:not(.icon))").count() == 0
    assert await page.locator('a[href^="javascript:" i], a[href^="data:" i]').count() == 0
    assert "owned" not in await page.title()
    assert foreign == []


async def test_the_policy_forbids_inline_scripts_and_strings_as_markup(visit: Visit, problems: Problems) -> None:
    problems.expect("Content Security Policy", "requires 'Trusted")
    page = await visit("ann")
    ran = await page.evaluate(
        """() => {
          const script = document.createElement("script");
          try { script.textContent = "globalThis.owned = true"; document.body.append(script); } catch {}
          try { document.body.insertAdjacentHTML("beforeend", "<p>x</p>"); return true; } catch {}
          return Boolean(globalThis.owned);
        }"""
    )
    assert ran is False


async def test_the_picker_addresses_an_agent_by_keyboard(visit: Visit, chat: Chat) -> None:
    page = await visit("ann")
    box = page.locator(".channel-pane textarea")
    await box.press_sequentially("hi @fi")
    options = page.locator("[role=option]")
    await expect(options.first).to_contain_text("Bosun finance")
    await box.press("Enter")
    await expect(box).to_have_value("hi @bosun finance: ")
    await expect(page.locator(".picker")).to_be_hidden()
    await box.press_sequentially("@")
    await expect(options).to_have_count(6)
    await box.press("ArrowDown")
    await expect(box).to_have_attribute("aria-activedescendant", re.compile("-1$"))
    await box.press("Escape")
    await expect(page.locator(".picker")).to_be_hidden()
    await box.fill("")
    await box.press_sequentially("/app")
    await expect(options).to_have_count(2)
    await box.press("Tab")
    await expect(box).to_have_value("/approvals ")
    await box.press("Enter")
    await expect(page.locator(".channel-pane .note")).to_contain_text("You said /approvals.")
    await expect(page.locator(".message:not(.note)")).to_have_count(0)
    await expect(page.locator(".toast")).to_have_count(0)
    await page.goto(page.url.replace("general", "finance"))
    await expect(page.locator(".start")).to_be_visible()
    await expect(page.locator(".note")).to_have_count(0)


async def test_a_command_that_is_typed_to_its_end_is_sent_by_enter(visit: Visit) -> None:
    page = await visit("ann")
    box = page.locator(".channel-pane textarea")
    await box.press_sequentially("/approvals")
    await expect(page.get_by_role("option")).to_have_count(1)
    await box.press("Enter")
    await expect(page.locator(".channel-pane .note")).to_contain_text("You said /approvals.")
    await expect(box).to_have_value("")


async def test_shift_enter_makes_a_line_and_the_box_grows(visit: Visit) -> None:
    page = await visit("ann")
    box = page.locator(".channel-pane textarea")
    before = await box.evaluate("(element) => element.offsetHeight")
    await box.press_sequentially("one")
    for _ in range(3):
        await box.press("Shift+Enter")
    await box.press_sequentially("four")
    assert await box.evaluate("(element) => element.offsetHeight") > before + 40
    await box.press("Enter")
    await expect(page.locator(".message .prose")).to_have_text(re.compile("one.*four", re.DOTALL))


async def test_files_are_attached_shown_and_downloaded(visit: Visit, tmp_path: Path) -> None:
    page = await visit("ann", "/c/dm-ann")
    (tmp_path / "plan.csv").write_text("a,b\n")
    (tmp_path / "big.bin").write_bytes(b"x" * (20 * 1024 * 1024 + 1))
    async with page.expect_file_chooser() as chooser:
        await page.get_by_role("button", name="Attach files").click()
    await (await chooser.value).set_files([tmp_path / "plan.csv", tmp_path / "big.bin"])
    await expect(page.locator(".toast")).to_contain_text("big.bin is larger than 20.0 MB")
    await expect(page.locator(".attachments li:not(.uploading)")).to_have_count(1)
    await write(page, "here")
    await expect(page.locator(".by-bosun .prose")).to_contain_text("plan.csv, 4 bytes")
    async with page.expect_download() as download:
        await page.locator("a.file").first.click()
    assert (await download.value).suggested_filename == "plan.csv"


async def test_other_channels_say_that_something_is_new(visit: Visit, chat: Chat) -> None:
    page = await visit("ann")
    finance = page.locator('.rail a[href="/c/finance"]')
    await expect(finance.locator(".dot")).to_have_count(0)
    await chat.desk.show(GENERAL.model_copy(update={"channel": "finance"}), Text(markdown="news"))
    await expect(finance.locator(".dot")).to_have_count(1)
    await finance.click()
    await expect(page.locator(".message .prose")).to_have_text("news")
    await expect(finance.locator(".dot")).to_have_count(0)
    await page.reload()
    await expect(page.locator(".message .prose")).to_have_text("news")
    await expect(finance.locator(".dot")).to_have_count(0)


async def test_earlier_messages_come_when_asked_for_and_the_place_is_kept(visit: Visit, chat: Chat) -> None:
    for number in range(70):
        await chat.desk.show(GENERAL, Text(markdown=f"line {number}"))
    page = await visit("ann")
    await expect(page.locator(".message")).to_have_count(50)
    await expect(page.locator(".message").last).to_be_in_viewport()
    await page.get_by_role("button", name="Show earlier messages").click()
    await expect(page.locator(".message")).to_have_count(70)
    await expect(page.get_by_text("line 20", exact=True)).to_be_in_viewport()
    await chat.desk.show(GENERAL, Text(markdown="the newest"))
    await page.get_by_role("button", name="New messages").click()
    await expect(page.locator(".message").last).to_be_in_viewport()


async def test_an_empty_channel_suggests_what_to_try(visit: Visit) -> None:
    page = await visit("ann", "/c/finance")
    await page.get_by_role("button", name="Pay an invoice").click()
    box = page.locator(".channel-pane textarea")
    await expect(box).to_have_value("@bosun finance: pay invoice 1881 from ACME")
    await expect(box).to_be_focused()


async def test_a_link_points_to_its_message(visit: Visit, chat: Chat) -> None:
    ids = [await chat.desk.show(GENERAL, Text(markdown=f"line {number}")) for number in range(30)]
    page = await visit("ann", f"/c/general#m-{ids[2]}")
    await expect(page.locator(".message.target .prose")).to_have_text("line 2")
    await expect(page.locator(".message.target")).to_be_in_viewport()


async def test_on_a_phone_the_rail_and_the_thread_take_the_screen(visit: Visit) -> None:
    page = await visit("ann", "/c/general", viewport={"width": 390, "height": 844})
    await expect(page.locator(".rail")).not_to_be_in_viewport()
    await write(page, "@bosun hello")
    await expect(page.locator(".thread-pane")).to_have_count(0)
    await page.locator(".thread-link").click()
    await expect(page.locator(".thread-pane .message")).to_have_count(2)
    await expect(page.locator(".channel-pane")).to_be_hidden()
    await page.get_by_role("button", name="Back to the channel").click()
    await page.get_by_role("button", name="Channels").click()
    await expect(page.locator(".rail")).to_be_in_viewport()
    await page.locator('.rail a[href="/home"]').click()
    await expect(page.locator("h1")).to_have_text("Home")
    width = await page.evaluate("document.documentElement.scrollWidth")
    assert width <= 390


async def test_a_page_of_another_site_gets_nothing(
    visit: Visit, chat: Chat, browser: Browser, problems: Problems
) -> None:
    problems.expect("")
    page = await visit("ann")
    other = chat.server.url.replace("127.0.0.1", "localhost")
    foreign = await page.context.new_page()
    await foreign.goto(f"{other}/healthz")

    async def attempt(options: str) -> object:
        fetch = f"fetch('{chat.server.url}/api/logout', {options})"
        return await foreign.evaluate(f"{fetch}.then((answer) => String(answer.status), () => 'blocked')")

    assert await attempt("{credentials: 'include'}") == "blocked"
    assert await attempt("{method: 'POST', credentials: 'include', headers: {'x-bosun': '1'}}") == "blocked"
    assert await attempt("{method: 'POST', credentials: 'include', mode: 'no-cors'}") == "blocked"
    await page.reload()
    await expect(page.locator(".rail .me strong")).to_have_text("Ann Meier")


async def test_a_used_login_link_says_so(chat: Chat, browser: Browser) -> None:
    link = chat.server.login_link("ann")
    first, second = await browser.new_page(), await (await browser.new_context()).new_page()
    await first.goto(link)
    await expect(first.locator(".rail .me strong")).to_have_text("Ann Meier")
    await second.goto(link)
    await expect(second.locator("h1")).to_have_text("Harbour")
    await expect(second.locator("main")).to_contain_text("This login link was used")


async def test_the_stream_goes_on_after_the_server_was_restarted(
    visit: Visit, chat: Chat, problems: Problems, tmp_path: Path
) -> None:
    problems.expect("Failed to load resource", "net::")
    page = await visit("ann")
    port = int(chat.server.url.rsplit(":", 1)[1])
    await chat.server.stop()
    await expect(page.locator(".connection")).to_contain_text("Connection lost")
    after = Chat(chat.store, tmp_path / "data", demo=True, port=port)
    await after.start()
    await after.desk.show(GENERAL, Text(markdown="back again"))
    await expect(page.locator(".message .prose")).to_have_text("back again")
    await write(page, "still signed in")
    await expect(page.locator(".message:not(.pending)")).to_have_count(2)
    await after.stop()


async def test_at_twice_the_size_and_on_the_narrowest_screen_nothing_is_cut_off(visit: Visit, chat: Chat) -> None:
    await chat.desk.show(GENERAL, Text(markdown="| " + "wide | " * 12 + "\n|" + "---|" * 12 + "\n\n" + "long" * 80))
    await chat.desk.show(GENERAL, chat.desk.payment.card(chat.clock, {}))
    for viewport in ({"width": 720, "height": 450}, {"width": 320, "height": 568}):
        page = await visit("ann", viewport=viewport)
        await expect(page.locator(".card")).to_have_count(1)
        assert await page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
        assert await page.evaluate("document.querySelector('.channel-pane .scroller').scrollWidth") <= viewport["width"]
        await page.get_by_role("button", name="Approve", exact=True).scroll_into_view_if_needed()
        await expect(page.get_by_role("button", name="Approve", exact=True)).to_be_in_viewport(ratio=1)
        await expect(page.locator("textarea")).to_be_in_viewport(ratio=1)


async def test_an_emoji_is_put_on_a_message_seen_by_everybody_and_taken_off(visit: Visit) -> None:
    ann, bo = await visit("ann"), await visit("bo")
    await write(ann, "the parcel has come")
    message = bo.locator(".channel-pane .message").last
    await expect(message).to_contain_text("the parcel has come")
    await message.hover()
    await message.get_by_label("React", exact=True).click()
    await message.get_by_label("React with 🎉").click()
    chip = ann.locator(".channel-pane .mark")
    await expect(chip).to_have_attribute("aria-label", "🎉 by Bo Lindqvist")
    await expect(chip).to_have_attribute("aria-pressed", "false")
    await chip.click()
    await expect(bo.locator(".channel-pane .mark .count")).to_have_text("2")
    await expect(chip).to_have_attribute("aria-pressed", "true")
    await chip.click()
    await expect(chip).to_have_attribute("aria-label", "🎉 by Bo Lindqvist")
    await bo.locator(".channel-pane .mark").click()
    await expect(chip).to_have_count(0)
