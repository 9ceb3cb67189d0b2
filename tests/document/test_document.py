"""Any text in, a valid message out: nothing lost, nobody pinged, no link that misleads, every fence closed."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings

from bot.discord import prose as discord
from bot.engine.document import plain
from bot.engine.document.markdown import JOINER, Dialect, Writer
from bot.engine.document.parse import parse
from bot.engine.document.split import pack
from bot.slack import prose as slack
from bot.web.render import to_html
from tests.document.texts import long_texts, texts

MARKED = re.compile(r"w\d+q")
WRITER = Writer(Dialect())
PINGS = re.compile(r"<(?:@[!&]?\d|#\d|a?:\w+:\d|t:\d|/\w+:\d|id:)|@(?:everyone|here)", re.IGNORECASE)


def marked(text: str) -> list[str]:
    return MARKED.findall(text.replace(JOINER, ""))


def open_code(text: str) -> bool:
    """Whether Discord, which knows only fences of three, would show the end of the text as code."""
    return text.count("```") % 2 == 1


@given(texts)
@settings(max_examples=100, deadline=None)
def test_a_document_holds_every_word_of_its_text(text: str) -> None:
    seen = re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u2028\u2029\x85]", "", text)
    held = str(parse(text))
    assert sorted(set(marked(seen))) == sorted(set(marked(held)))


@given(texts)
@settings(max_examples=30, deadline=None)
def test_written_again_it_says_the_same(text: str) -> None:
    document = parse(text)
    again = parse(WRITER.blocks(document.blocks))
    assert set(marked(str(again))) == set(marked(str(document)))


@given(long_texts)
@settings(max_examples=30, deadline=None)
def test_discord_shows_all_of_it_within_its_limits_and_pings_nobody(text: str) -> None:
    messages, files = discord.shown(text)
    assert len(messages) <= discord.MESSAGES
    for message in messages:
        assert 0 < len(message) <= discord.CONTENT
        assert not PINGS.search(message)
        assert not open_code(message)
    said = "\n".join([*messages, *(file.content for file in files)])
    assert set(marked(plain.words(parse(text)))) <= set(marked(said))


@given(long_texts)
@settings(max_examples=30, deadline=None)
def test_slack_shows_all_of_it(text: str) -> None:
    blocks, files = slack.shown(text)
    said = "\n".join([str(blocks), *(file.content for file in files)])
    assert set(marked(plain.words(parse(text)))) <= set(marked(said))


@given(texts)
@settings(max_examples=30, deadline=None)
def test_the_web_page_shows_all_of_it(text: str) -> None:
    html = to_html(text)
    assert set(marked(plain.words(parse(text)))) <= set(marked(html))
    assert not re.search(r"<(?:script|img|iframe|svg)|href=\"(?!https?:|mailto:|/[^/\\])", html)


@given(long_texts)
@settings(max_examples=30, deadline=None)
def test_pieces_are_within_the_limit_and_hold_everything(text: str) -> None:
    document = parse(text)
    pieces = list(pack(document.blocks, slack.write, 400))
    assert all(0 < len(piece) <= 400 for piece in pieces)
    assert set(marked(plain.words(document))) <= set(marked(" ".join(pieces)))


def test_a_cut_code_block_is_closed_and_opened_again() -> None:
    lines = "\n".join(f"line {number}" for number in range(200))
    pieces = list(pack(parse(f"Here:\n\n```python\n{lines}\n```\n\nDone.").blocks, discord.write, 500))
    assert pieces[0].startswith("Here:")
    assert all(piece.count("```") == 2 and "```python\n" in piece for piece in pieces[:-1])
    assert pieces[-1].endswith("Done.")
    assert re.findall(r"line \d+", "\n".join(pieces)) == lines.split("\n")


def test_a_cut_list_goes_on_with_its_numbers_and_a_cut_table_repeats_its_header() -> None:
    listing = "\n".join(f"{number}. item" for number in range(1, 100))
    assert re.findall(r"(?m)^(\d+)\. item", "\n".join(pack(parse(listing).blocks, discord.write, 300))) == [
        str(number) for number in range(1, 100)
    ]
    table = "| name | n |\n|---|---|\n" + "\n".join(f"| row | {number} |" for number in range(60))
    pieces = list(pack(parse(table).blocks, discord.write, 300))
    assert len(pieces) == 2
    assert all(piece.startswith("```\nname  n") for piece in pieces)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("tell @everyone <@123>", f"tell @{JOINER}everyone <{JOINER}@123>"),
        ("#### Deep", "**Deep**"),
        ("[x](javascript:alert(1))", f"[x]{JOINER}(javascript:alert(1))"),
        ("[https://bank.example](https://evil.example)", "https://bank.example (<https://evil.example>)"),
        ("![chart](https://a.example/c.png)", "[chart](<https://a.example/c.png>)"),
        ("2 * 3, snake_case, a || b", "2 * 3, snake_case, a \\|\\| b"),
        ("````\n```\n````", f"```\n`{JOINER}``\n```"),
    ],
)
def test_discord_markdown(text: str, written: str) -> None:
    assert discord.shown(text) == ([written], [])


def test_a_very_long_answer_is_its_outline_and_a_file() -> None:
    text = "\n\n".join(f"## Part {part}\n\n{'word ' * 400}" for part in range(1, 9))
    messages, files = discord.shown(text)
    assert len(messages) == 1
    assert "- Part 1\n- Part 2\n- Part 3\n- Part 4\n- Part 5" in messages[0]
    assert files[0].content == text
    blocks, files = slack.shown(text)
    assert len(blocks) == 1
    assert files[0].content == text


def test_nothing_that_is_nested_too_deep_is_lost() -> None:
    assert "bottom" in discord.shown("> " * 60 + "bottom")[0][0]
    assert "bottom" in discord.shown("*_" * 200 + "bottom" + "_*" * 200)[0][0]
    assert "bottom" in to_html("- " * 60 + "bottom")


def test_what_cannot_be_a_language_is_text_and_can_be_cut() -> None:
    text = "~~~" + "<!channel>" * 200
    assert "<!channel>" * 200 in str(parse(text))
    pieces = list(pack(parse(text).blocks, discord.write, 300))
    assert all(len(piece) <= 300 for piece in pieces)
    assert "".join(pieces).count("channel") == 200
