"""How documents are cut."""

from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.engine.chunking import LIMIT, TARGET, cut

LONG = "Refunds are paid within five working days after the request. " * 60


def test_a_chunk_stays_below_its_headings_and_carries_their_path() -> None:
    text = "# Handbook\n\nWelcome.\n\n## Refunds\n\n### Who pays\n\nFinance pays.\n\n## Hours\n\nNine to five.\n"
    chunks = cut(text, "markdown", "Handbook")
    assert [(chunk.headings, chunk.text) for chunk in chunks] == [
        ((), "Welcome."),
        (("Refunds", "Who pays"), "Finance pays."),
        (("Hours",), "Nine to five."),
    ]
    assert chunks[1].heading("Handbook") == "Handbook\nRefunds\nWho pays"


def test_a_long_paragraph_is_divided_between_sentences() -> None:
    chunks = cut(LONG, "text", "Refunds")
    assert all(len(chunk.text) <= TARGET and chunk.text.endswith(".") for chunk in chunks)
    assert " ".join(chunk.text for chunk in chunks).split() == LONG.split()


def test_a_table_is_divided_between_rows_and_every_part_has_the_head() -> None:
    rows = [f"| plan {n} | {n * 10} EUR | {'words ' * 10}|" for n in range(60)]
    chunks = cut("\n".join(["| plan | price | note |", "|---|---|---|", *rows]), "markdown", "Prices")
    assert len(chunks) > 1
    assert all(chunk.text.startswith("| plan | price | note |\n|---|---|---|\n") for chunk in chunks)
    assert [line for chunk in chunks for line in chunk.text.split("\n")[2:]] == [row.rstrip() for row in rows]


def test_a_fence_is_never_left_open() -> None:
    code = "\n".join(f"step_{n}(argument={n})  # {'why ' * 8}" for n in range(80))
    chunks = cut(f"# Deploy\n\nRun this:\n\n````python\n{code}\n````\n\nDone.\n", "markdown", "Deploy")
    assert all(chunk.text.count("````") % 2 == 0 for chunk in chunks)
    kept = [line for chunk in chunks for line in chunk.text.split("\n") if line.startswith("step_")]
    assert kept == code.split("\n")


def test_what_looks_like_a_heading_in_a_fence_is_code() -> None:
    chunks = cut("# A\n\n```sh\n# not a heading\nls\n```\n", "markdown", "A")
    assert [(chunk.headings, chunk.text) for chunk in chunks] == [((), "```sh\n# not a heading\nls\n```")]


def test_list_items_stay_whole_with_what_is_nested_in_them() -> None:
    items = [f"- Point {n}: {'reason ' * 12}\n  - detail {n}" for n in range(40)]
    chunks = cut("\n".join(items), "markdown", "List")
    assert len(chunks) > 1
    assert "\n".join(chunk.text for chunk in chunks) == "\n".join(items)
    assert all(chunk.text.startswith("- Point") for chunk in chunks)


def test_the_targets_of_links_are_kept() -> None:
    chunks = cut("# A\n\nSee [the form][form].\n\n[form]: https://example.test/form\n", "markdown", "A")
    assert "https://example.test/form" in chunks[0].text


def test_a_document_of_headings_alone_can_still_be_found() -> None:
    assert [chunk.text for chunk in cut("# On-call\n\n## Rota\n", "markdown", "On-call")] == ["On-call\nRota"]


LINES = ["# T", "## S *x*", "word " * 40, "- item", "```", "| a | b |", "|---|---|", "", "x" * 3000]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(LINES), max_size=30))
def test_no_word_is_lost_and_only_a_table_row_can_be_too_long(lines: list[str]) -> None:
    text = "\n".join(lines)
    chunks = cut(text, "markdown", "Title")
    assert all(len(chunk.text) <= LIMIT or chunk.text.split("\n")[1] == "|---|---|" for chunk in chunks)
    assert sum(chunk.text.count("word") for chunk in chunks) == text.count("word")
