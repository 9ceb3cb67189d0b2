"""Texts that try to break out, to ping, to get lost: for every renderer."""

from hypothesis import strategies as st

FRAGMENTS = [
    "<!channel>", "<@U0ANN>", "<@123456789012345678>", "<@&123456789012345678>", "<#123456789012345678>", "@everyone",
    "@here", "<:x:123456789012345678>", "<t:1:R>", "</home:123456789012345678>", "&lt;!here&gt;",
    "[", "](", ")", "](javascript:alert(1))", "](https://a.example/x)", "](https://evil.example)",
    "https://bank.example",
    "![", "<https://a.example>", "```", "````", "~~~", "`", "``", "\n", "\n\n", "> ", "- ", "1. ", "    ", "  ", "# ",
    "#### ", "| a | b |\n|---|---|\n| ", " | ", "\n---\n", "===", "**", "*", "_", "~~", "||", "\\", "&", "<", ">",
    "-# ", "é😀", "\u2028", "\r\n", "\x00", " ", "\t", "[1]", "@ann", "]: ",
    "<div>", "<script>alert(1)</script>", "www.a.example",
]  # fmt: skip

# Words that are found again wherever they end up.
marked = st.integers(0, 9999).map(lambda number: f"w{number}q")
texts = st.lists(st.one_of(st.sampled_from(FRAGMENTS), marked, st.text(max_size=6)), max_size=50).map("".join)
long_texts = st.tuples(texts, st.integers(1, 300)).map(lambda made: (made[0] + " ") * made[1])
