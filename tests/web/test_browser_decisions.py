"""Decisions in a real browser: cards, dialogs, personas, and all of it by keyboard alone."""

import re

import pytest
from playwright.async_api import Page, expect

from kernel.store import Store
from kernel.store.ledger import entries
from tests.web.conftest import Chat, Visit
from tests.web.test_browser_chat import write


async def ask(page: Page) -> None:
    """Ask for a payment."""
    await write(page, "@bosun finance: pay invoice 1881")
    await expect(page.locator(".thread-pane .card")).to_have_count(1)


async def test_two_approvers_and_one_execution(visit: Visit, chat: Chat) -> None:
    ann = await visit("ann", "/c/finance")
    await ask(ann)
    card = ann.locator(".thread-pane .card")
    await expect(card.locator(".state-line")).to_have_text("Waiting - 0 of 2 approvals")
    await expect(card.locator(".expires")).to_contain_text("Expires in 3 hr")
    await expect(ann.locator(".channel-pane .thread-link .state")).to_have_text("Waits for people")

    bo, cy = await visit("bo", "/waiting"), await visit("cy", "/c/approvals")
    await expect(bo.locator(".rail .badge")).to_have_text("1")
    await expect(bo).to_have_title(re.compile(r"^\(1\) Waiting for me"))
    await bo.get_by_role("button", name="Approve", exact=True).click()
    await bo.locator("dialog").get_by_role("button", name="Approve").click()
    await expect(card.locator(".state-line")).to_have_text("Waiting - 1 of 2 approvals (Bo)")
    assert chat.desk.payment.executed == 0

    await cy.get_by_role("button", name="Approve", exact=True).click()
    await cy.locator("dialog").get_by_role("button", name="Approve").click()
    for page in (ann.locator(".thread-pane"), cy.locator(".channel-pane")):
        await expect(page.locator(".card .state-line")).to_have_text("Approved by Bo and Cy - executed")
        await expect(page.locator(".card button")).to_have_count(0)
        await expect(page.locator(".card details")).to_have_count(2)
    await expect(ann.locator(".thread-pane .message").last).to_contain_text("Paid EUR 420.00")
    await expect(bo.locator(".all-clear")).to_contain_text("Nothing waits for you.")
    await expect(bo.locator(".rail .badge")).to_have_count(0)
    assert chat.desk.payment.executed == 1


async def test_the_requester_is_told_privately_and_nothing_changes(visit: Visit, chat: Chat) -> None:
    ann, bo = await visit("ann", "/c/finance"), await visit("bo", "/c/finance")
    await ask(ann)
    await ann.get_by_role("button", name="Approve", exact=True).click()
    await ann.locator("dialog").get_by_role("button", name="Approve").click()
    await expect(ann.locator(".thread-pane .note")).to_contain_text("You can't decide this")
    await expect(ann.locator(".thread-pane .note")).to_contain_text("Only you see this")
    await expect(bo.locator(".note, .toast")).to_have_count(0)
    assert chat.desk.payment.votes == {}
    await ann.locator(".note").get_by_role("button", name="Dismiss").click()
    await expect(ann.locator(".note")).to_have_count(0)
    await ann.get_by_role("button", name=re.compile("Private notices")).click()
    await expect(ann.locator("dialog .notices li")).to_have_count(1)


async def test_a_card_tells_everybody_the_time_in_their_own_zone(visit: Visit, chat: Chat) -> None:
    page = await visit("ann", "/c/finance", timezone_id="Asia/Tokyo")
    await ask(page)
    await expect(page.locator(".thread-pane .card-footer time")).to_contain_text("18:00")


WIDER = """() => [...document.querySelectorAll('.main *')]
    .filter((one) => one.getBoundingClientRect().right > innerWidth + 1).map((one) => one.className)"""


async def test_nothing_is_wider_than_a_phone(visit: Visit, chat: Chat) -> None:
    page = await visit("bo", "/home", viewport={"width": 390, "height": 844})
    await page.locator(".prompt").first.wait_for()
    assert await page.evaluate(WIDER) == []
    await page.goto(chat.server.url + "/c/finance")
    await write(page, "@bosun finance: pay invoice 1881")
    await expect(page.locator(".thread-link")).to_be_visible()
    for path, shown in (("/home", ".row-title"), ("/waiting", ".card"), ("/c/finance", ".message")):
        await page.goto(chat.server.url + path)
        await page.locator(shown).first.wait_for()
        assert await page.evaluate(WIDER) == []


async def test_a_persona_switch_shows_what_the_other_sees(visit: Visit, store: Store) -> None:
    page = await visit("ann", "/c/finance")
    second = await page.context.new_page()
    await second.goto(page.url)
    await ask(page)
    await page.get_by_role("button", name="Bo").click()
    for tab in (page, second):
        await expect(tab.locator(".rail .me strong")).to_have_text("Bo Lindqvist")
    await expect(page.locator(".demo [aria-pressed=true]")).to_have_text(re.compile("Bo"))
    await page.locator('.rail a[href="/waiting"]').click()
    await expect(page.locator(".card")).to_have_count(1)
    kinds = [row.kind for row in store.read_now(lambda session: list(entries(session)))]
    assert kinds == ["web.persona"]


async def test_rejecting_needs_a_reason_which_the_card_shows(visit: Visit) -> None:
    ann, bo = await visit("ann", "/c/finance"), await visit("bo", "/c/approvals")
    await ask(ann)
    await bo.get_by_role("button", name="Reject …").click()
    dialog = bo.locator("dialog")
    await expect(dialog.get_by_label("Reason")).to_be_focused()
    await dialog.get_by_role("button", name="Reject").click()
    await expect(dialog).to_contain_text("This is needed.")
    await dialog.get_by_label("Reason").fill("<b>Too early</b>")
    await dialog.get_by_role("button", name="Reject").click()
    await expect(dialog).to_have_count(0)
    await expect(ann.locator(".thread-pane .state-line")).to_have_text("Rejected by Bo: <b>Too early</b>")


async def test_a_dialog_that_is_closed_changes_nothing_and_gives_the_focus_back(visit: Visit, chat: Chat) -> None:
    ann, bo = await visit("ann", "/c/finance"), await visit("bo", "/c/approvals")
    await ask(ann)
    button = bo.get_by_role("button", name="Reject …")
    for close in ("Escape", "Cancel", "Close"):
        await button.click()
        await expect(bo.locator("dialog")).to_have_count(1)
        if close == "Escape":
            await bo.keyboard.press("Escape")
        else:
            await bo.locator("dialog").get_by_role("button", name=close).click()
        await expect(bo.locator("dialog")).to_have_count(0)
        await expect(button).to_be_focused()
    assert not chat.desk.payment.outcome


async def test_an_edit_makes_a_new_revision_and_the_old_card_is_out_of_date(visit: Visit, chat: Chat) -> None:
    ann, bo = await visit("ann", "/c/finance"), await visit("bo", "/c/approvals")
    await ask(ann)
    await bo.get_by_role("button", name="Edit …").click()
    dialog = bo.locator("dialog")
    await expect(dialog).to_contain_text("earlier approvals no longer count")
    await expect(dialog.get_by_label("Amount in EUR")).to_have_value("420.00")
    await dialog.get_by_label("Amount in EUR").fill("400.00")
    await dialog.get_by_role("button", name="Save changes").click()
    await expect(ann.locator(".thread-pane .card h3")).to_contain_text("Pay EUR 400.00")
    await expect(ann.locator(".thread-pane .card-footer")).to_contain_text("r2")
    assert (chat.desk.payment.revision, chat.desk.payment.amount) == (2, "400.00")


async def test_what_was_unfolded_stays_unfolded_when_the_card_changes(visit: Visit) -> None:
    ann, bo = await visit("ann", "/c/finance"), await visit("bo", "/c/approvals")
    await ask(ann)
    details = ann.locator(".thread-pane .card details").first
    await details.locator("summary").click()
    await expect(details.locator("pre")).to_contain_text('"tool": "pay_invoice"')
    assert await details.locator("pre").evaluate("pre => pre.scrollWidth <= pre.clientWidth")  # long lines are broken
    await bo.get_by_role("button", name="Approve", exact=True).click()
    await bo.locator("dialog").get_by_role("button", name="Approve").click()
    await expect(ann.locator(".thread-pane .state-line")).to_contain_text("1 of 2")
    await expect(details.locator("pre")).to_be_visible()


@pytest.mark.behaviour(33)
async def test_a_card_is_approved_by_keyboard_alone(visit: Visit, chat: Chat) -> None:
    ann, bo = await visit("ann", "/c/finance"), await visit("bo", "/c/general")
    await ask(ann)
    await bo.locator(".skip").focus()

    async def tab_to(text: str) -> None:
        for _ in range(60):
            await bo.keyboard.press("Tab")
            focused = bo.locator(":focus")
            words = await focused.inner_text() if await focused.count() else ""
            if words.strip().startswith(text):
                outline = await focused.evaluate("(element) => getComputedStyle(element).outlineStyle")
                assert outline == "solid", f"{text} has the focus and does not show it"
                return
        raise AssertionError(f"{text!r} cannot be reached with the tab key")

    await tab_to("Waiting for me")
    await bo.keyboard.press("Enter")
    await expect(bo.locator(".card")).to_have_count(1)
    await tab_to("What exactly is called")
    await bo.keyboard.press("Enter")
    await expect(bo.locator(".card pre").first).to_be_visible()
    await tab_to("Approve")
    await bo.keyboard.press("Enter")
    await expect(bo.locator("dialog button.primary")).to_be_focused()
    await bo.keyboard.press("Enter")
    await expect(bo.locator(".state-line")).to_contain_text("1 of 2 approvals (Bo)")
    await expect(bo.get_by_role("button", name="Approve", exact=True)).to_be_focused()
    assert chat.desk.payment.votes == {"bo": "approve"}


async def test_arrows_walk_through_the_messages(visit: Visit) -> None:
    page = await visit("ann")
    for words in ("one", "two", "three"):
        await write(page, words)
    await expect(page.locator(".message:not(.pending)")).to_have_count(3)
    await page.locator(".message").last.focus()
    await page.keyboard.press("ArrowUp")
    await expect(page.locator(".message").nth(1)).to_be_focused()
    await page.keyboard.press("Home")
    await expect(page.locator(".message").first).to_be_focused()
    await page.keyboard.press("Tab")  # to what can be done with the message, from left to right
    await expect(page.locator(".message").first.get_by_label("React", exact=True)).to_be_focused()
    await page.keyboard.press("Tab")
    await expect(page.locator(".message").first.get_by_label("Reply in thread")).to_be_focused()


async def test_home_shows_what_runs_and_what_was_decided(visit: Visit, chat: Chat) -> None:
    ann = await visit("ann", "/c/finance")
    await ask(ann)
    bo = await visit("bo", "/home")
    await expect(bo.locator(".row").first).to_contain_text("Waits for people")
    await bo.get_by_role("link", name="Open the thread").click()
    await expect(bo.locator(".thread-pane .card")).to_have_count(1)
    chat.desk.payment.outcome, chat.desk.payment.tone = "Rejected by Cy: too early", "bad"
    await bo.locator('.rail a[href="/home"]').click()
    await expect(bo.locator(".row").first).to_contain_text("Rejected by Cy: too early")
