"""Whatever a card holds, it is a message that Discord takes, and nothing of it is lost."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.discord.render import Shown, render
from kernel.types import Action, Card, Fact, Payload, Text
from tests.fakes.discord import checks

texts = st.text(max_size=80) | st.sampled_from(["```", "x" * 150, "# a", "<@&1> @everyone"])
long_texts = st.text(max_size=300) | st.sampled_from(["x" * 20_000, "```\n" * 900, "é" * 1_500])


def components(shown: Shown) -> None:
    """DiscordError where Discord would refuse the components."""
    assert shown.view is not None
    checks.check_components(shown.view.to_components(), v2=True)


@given(long_texts, texts, st.integers(0, 12))
@settings(max_examples=60, deadline=None)
def test_any_card_is_a_message_within_the_limits(text: str, short: str, payloads: int) -> None:
    card = Card(
        headline=short[:150],
        state=text,
        text=text,
        warning=text,
        facts=tuple(Fact(label=short, value=text) for _ in range(8)),
        payloads=tuple(Payload(title=short, content=text, digest="d" * 64) for _ in range(payloads)),
        actions=tuple(Action(subject="AP-1", verb="v", label=short[:34] or "x") for _ in range(12)),
        footer=text,
        expires_at=datetime(2026, 3, 2, tzinfo=UTC),
    )
    components(render(card))


@given(long_texts, texts, st.integers(0, 30))
@settings(max_examples=60, deadline=None)
def test_any_answer_is_within_the_limits_and_has_its_thumbs_below_its_last_part(
    text: str, short: str, many: int
) -> None:
    actions = tuple(Action(subject="R-1", verb="v", label=short[:34] or "x") for _ in range(many))
    shown = render(Text(markdown=text, footer=short, actions=actions, feedback="R-7F3K"))
    below = shown.below if shown.more else shown.view
    assert below is not None
    for view in filter(None, (shown.view, shown.below)):
        checks.check_components(view.to_components(), v2=False)
    labels = [button["label"] for row in below.to_components() for button in row["components"]]
    assert labels[-2:] == ["Helpful", "Not helpful"]


def test_a_moment_is_shown_in_the_zone_of_who_reads_it() -> None:
    at = "02 Mar 2026 09:00 UTC"
    shown = render(Card(headline="Pay", state=f"Expired · {at}", footer=f"AP-1 · {at}"))
    assert shown.view is not None
    said = str(shown.view.to_components())
    assert (said.count("<t:1772442000:f>"), at in said) == (2, False)
    text = render(Text(markdown=f"It expired on {at}.\n\n```\n{at}\n```"))
    assert text.content == f"It expired on <t:1772442000:f>.\n\n```\n{at}\n```"


@pytest.mark.parametrize("size", [40, 250, 900, 5_000])
def test_each_of_ten_payloads_is_shown_in_full_or_attached_in_full_under_its_digest(size: int) -> None:
    contents = [str(number) * size for number in range(10)]
    payloads = tuple(
        Payload(title=f"AP-{number} · 0 of 1 approvals · Pay", content=content, digest=str(number) * 64)
        for number, content in enumerate(contents)
    )
    shown = render(Card(headline="Pay, 10 times", state="Waiting", payloads=payloads))
    components(shown)
    assert shown.view is not None
    said = str(shown.view.to_components())
    attached = {file.name: file.content for file in shown.attachments}
    for number, content in enumerate(contents):
        name = f"payload-{str(number) * 12}.json"
        assert f"AP-{number} · 0 of 1 approvals · Pay" in said
        assert (attached.get(name) == content and name in said) or content in said
