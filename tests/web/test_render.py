"""Nothing that anybody writes becomes markup, a script, a request to elsewhere, or a ping."""

import pytest

from bot.engine.document.addresses import safe_url
from bot.web.render import to_html

PEOPLE = (("ann", "Ann Meier"), ("bosun", "Bosun"))
CITES = ((1, "/documents/handbook#two", 'Hand"book'), (2, "javascript:alert(1)", "Evil"))


@pytest.mark.parametrize(
    "text",
    [
        "<img src=x onerror=alert(1)>",
        "<script>alert(1)</script>",
        "a <b onclick=alert(1)>b</b>",
        "<svg/onload=alert(1)>",
        "```html\n<script>alert(1)</script>\n```",
        "`<img src=x onerror=alert(1)>`",
        "<a href='https://example.com' onmouseover=alert(1)>x</a>",
        "[x](https://example.com \"' onmouseover=alert(1) '\")",
        "# <iframe src=javascript:alert(1)>",
    ],
)
def test_markup_stays_text(text: str) -> None:
    html = to_html(text, CITES, PEOPLE)
    for tag in ("<img", "<script", "<svg", "<b ", "<iframe"):
        assert tag not in html
    assert " onmouseover=" not in html.replace("&quot;", "").split("title=")[0]


@pytest.mark.parametrize(
    "text",
    [
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](java&#115;cript:alert(1))",
        "[x](data:text/html,hello)",
        "[x](vbscript:msgbox)",
        "[x](//evil.example/path)",
        "<javascript:alert(1)>",
        "![x](javascript:alert(1))",
        "[x][y]\n\n[y]: javascript:alert(1)",
    ],
)
def test_a_dangerous_address_is_no_link(text: str) -> None:
    assert "href" not in to_html(text)


def test_a_picture_becomes_a_link_and_loads_nothing() -> None:
    html = to_html("![pixel](https://evil.example/p.png?secret=1)")
    assert "<img" not in html
    assert 'href="https://evil.example/p.png?secret=1"' in html


def test_links_do_not_tell_where_they_were_followed_from() -> None:
    html = to_html("see https://example.com/a_b(c), and mailto: [us](mailto:a@example.com)")
    assert '<a href="https://example.com/a_b(c"' in html
    assert html.count('rel="noopener noreferrer nofollow"') == 2


def test_numbers_of_sources_open_them_and_others_stay_text() -> None:
    html = to_html("Yes [1], no [2], and [3]. `[1]`", CITES)
    assert '<a href="/documents/handbook#two"' in html
    assert html.count("<a ") == 1
    assert '<span class="cite">2</span>' in html
    assert "[3]" in html
    assert "<code>[1]</code>" in html


def test_people_become_chips_only_in_what_people_write() -> None:
    text = "@ann and @Bosun, not a@ann.example, `@ann`, @everyone"
    by_person, by_model = to_html(text, (), PEOPLE), to_html(text)
    assert by_person.count('class="mention') == 2
    assert "@Ann Meier" in by_person
    assert "mention" not in by_model
    assert "@everyone" in by_person


def test_a_moment_is_a_time_that_the_page_shows_in_the_zone_of_its_reader() -> None:
    time = '<time datetime="2026-03-02T09:00:00+00:00" data-format="near">02 Mar 2026 09:00 UTC</time>'
    assert to_html("It ended on **02 Mar 2026 09:00 UTC**.") == f"<p>It ended on <strong>{time}</strong>.</p>\n"
    assert "<time" not in to_html("`02 Mar 2026 09:00 UTC`")


def test_tables_code_and_broken_markdown_are_balanced() -> None:
    table = to_html("| a | b |\n|---|--:|\n| 1 | 2 |")
    assert '<div class="table" tabindex="0"><table>' in table
    assert '<td class="right">2</td>' in table
    broken = to_html("**bold\n\n```\nnever closed\n\n- x")
    assert broken.count("<pre ") == broken.count("</pre>") == 1


def test_headings_stay_below_those_of_the_page() -> None:
    assert to_html("# one\n\n###### six").count("<h3>") == 1
    assert "<h1" not in to_html("# one")


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://example.com", True),
        ("/documents/a#b", True),
        ("mailto:a@example.com", True),
        ("javascript:alert(1)", False),
        ("//example.com", False),
        ("/\\example.com", False),
        ("documents/a", False),
        ("http://[", False),
        ("", False),
    ],
)
def test_only_known_schemes_and_own_paths_are_addresses(url: str, safe: bool) -> None:
    assert bool(safe_url(url)) is safe
