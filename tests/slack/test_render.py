"""Whatever is said, Slack accepts it, it pings nobody, its links go where they say, its code blocks are closed."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from bot.slack import forms, neutral, prose
from bot.slack.render import Shown, render
from kernel.types import Action, Card, Confirm, Fact, Form, FormField, Payload, Progress, Source, Step, Text
from tests.fakes.slack import blocks
from tests.fakes.slack.world import SlackError

FRAGMENTS = [
    "<!channel>", "<!here|here>", "<!everyone>", "<@U0ANN>", "<@W0ANN|ann>", "<#C0X>", "<!subteam^S1|@x>",
    "&lt;!channel>",
    "&#60;!here&#62;", "&#x3c;@U1>", "<\\!channel>", "< !channel>", "<<!channel>", "@channel", "@here", "@everyone",
    "[x](javascript:alert(1))", "[x]( <JaVaScRiPt:alert(1)>)", "[x](&#106;avascript:a)", "[x](java&Tab;script:a)",
    "[x]: javascript:a\n", "[x]", "<javascript:a>", "<data:text/html,a>", "![i](https://a.example/i.png)", "![i][x]",
    "[ok](https://a.example)", "<https://a.example>", "```", "~~~~", "`", "``", "\n", "\n\n", "> ", "- ", "1. ", "    ",
    "# ", "| a | b |\n|---|---|\n", "word ", "é😀", "\u2028", "\r\n", "\x00", "](", "\\", "&", "<", ">", "*", "_",
]  # fmt: skip
texts = st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.text(max_size=8)), max_size=40).map("".join)
long_texts = st.tuples(texts, st.integers(1, 400)).map(lambda made: made[0] * made[1])

OPEN = r"(?:<|&lt;?|&#0*60;?|&#[xX]0*3[cC];?)"
PING = re.compile(rf"{OPEN}\s*(?:@[UWB][A-Z0-9]+\s*[|>]|#C[A-Z0-9]+\s*[|>]|!\s*(?:channel|here|everyone|subteam))")
UNSAFE = re.compile(r"\s*(?:javascript|vbscript|data|file):", re.IGNORECASE)


def texts_of(value: object, kind: str) -> list[str]:
    """All texts of one type (markdown, mrkdwn) in blocks."""
    if isinstance(value, list):
        return [text for item in value for text in texts_of(item, kind)]
    if isinstance(value, dict):
        own = [value["text"]] if value.get("type") == kind else []
        return own + [text for item in value.values() for text in texts_of(item, kind)]
    return []


def tokens(markdown: str) -> list[Token]:
    """All tokens, nested ones too, of a parser that takes every link."""
    parser = MarkdownIt("commonmark").enable("table")
    parser.validateLink = lambda _: True  # type: ignore[method-assign,assignment]
    found: list[Token] = []
    for token in parser.parse(markdown):
        found += [token, *(token.children or [])]
    return found


def check(shown: Shown) -> None:
    """Slack takes it and resolves nothing in it but our own times and sources."""
    blocks.check_message(shown.blocks, shown.text)
    assert shown.text.strip()
    for text in texts_of(shown.blocks, "markdown"):
        assert not PING.search(text)
        assert neutral.open_fence(text) == ""
    for text in [shown.text, *texts_of(shown.blocks, "mrkdwn")]:
        assert not re.search(r"<(?!!date\^\d+\^|https?://)", text), text


@given(texts)
@settings(max_examples=400, deadline=None)
def test_a_neutral_text_pings_nobody_and_has_no_unsafe_link(text: str) -> None:
    calm = neutral.neutral(text)
    assert not PING.search(calm)
    assert neutral.open_fence(calm) == ""
    for token in tokens(calm):
        assert not UNSAFE.match(str(token.attrGet("href") or token.attrGet("src") or ""))
        if token.type in {"text", "html_inline", "html_block"}:
            assert not PING.search(token.content)


@given(long_texts)
@settings(max_examples=60, deadline=None)
def test_any_text_is_a_message_within_the_limits(text: str) -> None:
    source = Source(number=1, title=text[:300], url=text[:100], quote=text[:300])
    action = Action(subject="AP-1", verb="v", label=text[:30] or "x", style="link", url=text[:200])
    small = text[:200]
    shown = render(
        Text(markdown=text, agent=text[:50], sources=(source,), footer=small, actions=(action,), feedback="R-1")
    )
    check(shown)
    for file in shown.attachments:
        assert file.name.endswith(".csv") or (file.content == text and len(text) > 2_500)


@given(long_texts, texts)
@settings(max_examples=60, deadline=None)
def test_any_progress_is_a_message_within_the_limits(text: str, short: str) -> None:
    steps = tuple(Step(id=str(n), title=short, status="running", detail=text[:500]) for n in range(15))
    check(render(Progress(title=short, agent=short, steps=steps, partial=text, run="R-1")))


@given(long_texts, texts)
@settings(max_examples=60, deadline=None)
def test_any_card_is_a_message_within_the_limits(text: str, short: str) -> None:
    confirm = Confirm(title=text, text=text, label=text)
    card = Card(
        headline=short[:150],
        state=text,
        text=text,
        warning=text,
        facts=tuple(Fact(label=short, value=text) for _ in range(8)),
        payloads=tuple(Payload(title=short, content=text, digest="d" * 64) for _ in range(12)),
        actions=tuple(Action(subject="AP-1", verb="v", label=short[:34] or "x", confirm=confirm) for _ in range(30)),
        footer=text,
        expires_at=datetime(2026, 3, 2, tzinfo=UTC),
    )
    check(render(card))


@given(long_texts, texts)
@settings(max_examples=60, deadline=None)
def test_any_form_is_a_dialog_within_the_limits(text: str, short: str) -> None:
    fields = tuple(FormField(id=str(n), label=text, value=text, hint=short) for n in range(5))
    form = Form(subject="AP-1", verb="edit", title=short[:24], fields=fields, submit=short[:24], note=text)
    blocks.check_view(forms.view(form, None, None))


@pytest.mark.parametrize(
    ("text", "calm"),
    [
        ("plain **bold** [a](https://a.example) `x < y`", "plain **bold** [a](https://a.example) `x < y`"),
        ("a <!channel> b", "a <\u2060!channel> b"),
        ("```\n<!DOCTYPE html>\nList<@NonNull T>\n```", "```\n<!DOCTYPE html>\nList<@NonNull T>\n```"),
        ("```\n<!here> <@U0ANN>\n```", "```\n<\u2060!here> <\u2060@U0ANN>\n```"),
        ("![chart](https://a.example/c.png)", "[chart](https://a.example/c.png)"),
        ("[x](javascript:alert(1))", "[x]\u2060(javascript:alert(1))"),
        ("see [1]: note", "see [1]: note"),
        ("```python\nprint(1)", "```python\nprint(1)\n```"),
        ("~~~\n```", "~~~\n```\n~~~"),
        ("mail ann@example.com", "mail ann@example.com"),
        ("tell @channel", "tell @\u2060channel"),
    ],
)
def test_only_what_is_dangerous_changes(text: str, calm: str) -> None:
    assert neutral.neutral(text) == calm


def test_a_cut_text_ends_between_paragraphs_and_closes_its_code() -> None:
    text = "para\n\n" * 10 + "```\n" + "code\n" * 100
    head = prose.beginning(text, 200)
    assert len(head) <= 200
    assert neutral.open_fence(head) == ""
    assert prose.beginning("one\n\n" + "two " * 40 + "\n\n" + "three " * 40, 200).endswith("two\n…")


def test_a_summary_is_words() -> None:
    assert prose.summary("# Title\n\n- **a** [b](https://c.example) `d`\n> e") == "Title a b (https://c.example) d e"
    assert prose.summary("<!channel> & x") == "&lt;!channel&gt; &amp; x"


def test_a_table_is_a_table_and_a_large_one_a_file() -> None:
    shown = render(Text(markdown="Before\n\n| a | b |\n|---|---|\n| 1 | x \\| y |\n\nAfter"))
    assert [block["type"] for block in shown.blocks] == ["markdown", "data_table", "markdown"]
    assert shown.blocks[1]["rows"][1][1]["text"] == "x | y"
    rows = "\n".join(f"| {n} | =cmd |" for n in range(300))
    large = render(Text(markdown=f"| a | b |\n|---|---|\n{rows}"))
    check(large)
    assert large.attachments[0].name.endswith(".csv")
    assert large.attachments[0].content.count("\n") == 301
    assert "'=cmd" in large.attachments[0].content
    assert large.attachments[0].name in large.blocks[0]["text"]


def test_the_fake_refuses_what_slack_refuses() -> None:
    good = [{"type": "markdown", "text": "x"}]
    blocks.check_message(good, "x")
    for bad in (
        [{"type": "markdown", "text": "x" * 12_001}],
        [{"type": "markdown", "text": "x" * 7_000}, {"type": "markdown", "text": "x" * 7_000}],
        [{"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}],
        [{"type": "section", "text": {"type": "mrkdwn", "text": ""}}],
        [{"type": "alert", "text": "x"}],
        good * 51,
    ):
        with pytest.raises(SlackError, match="invalid_blocks"):
            blocks.check_message(bad, "x")
    with pytest.raises(SlackError, match="no_text"):
        blocks.check_message([], "")
