"""Sources that contradict each other are told apart from those that speak of different things."""

from __future__ import annotations

from datetime import date

import pytest

from knowledge.engine.differences import Stated, contradicts, differences


def differ(question: str, first: str, second: str, titles: tuple[str, str] = ("Handbook", "FAQ")) -> list[str]:
    sources = [
        Stated("[1]", "a", titles[0], first, date(2024, 5, 1)),
        Stated("[2]", "b", titles[1], second, date(2026, 3, 2)),
    ]
    return [each.sentence for each in differences(question, sources)]


@pytest.mark.parametrize(
    ("question", "first", "second"),
    [
        ("How long do refunds take?", "Refunds are paid within five days.", "Refunds take ten days."),
        ("How long do refunds take?", "Refunds are paid within five days.", "Refunds are paid within 2 weeks."),
        ("what may a hotel cost", "- **Hotels:** up to 160 EUR a night.", "Hotels: up to 180 EUR a night"),
        ("when is the budget review?", "The budget review is on 10 March 2026.", "Budget review: 2026-03-17"),
        ("when is the stand-up?", "The stand-up is at 9:30.", "The stand-up is at 10 am."),
        ("which room is the kettle in", "The kettle is in room 4.", "The kettle is in room 5."),
        ("is alcohol covered", "Alcohol is not covered.", "Alcohol is covered."),
        ("who gets the invoices", "Invoices go to Jo.", "Invoices go to Kim."),
        ("how many seats has the team plan", "The Team plan has 10 seats.", "| Team plan | 12 seats |"),
        ("how many days of vacation?", "Everybody has 25 days of vacation a year.", "Vacation: 28 days"),
        ("what does the pro plan cost", "The Pro plan costs $20 per month.", "The Pro plan costs $25 a month."),
        ("how long do refunds take", "Ann (2 March 2026): refunds now take 10 days", "Refunds take 5 days."),
        ("what is the rate of VAT", "The VAT is 7.7%.", "VAT is 8.1 percent since 2024."),
        ("on which day do we ship?", "We ship on Tuesdays.", "We ship on Thursday."),
    ],
)
def test_values_names_and_yes_and_no_that_cannot_both_hold_are_told(question: str, first: str, second: str) -> None:
    [told] = differ(question, first, second)
    assert told.startswith("These sources differ: [1] says “")
    assert "(1 May 2024), [2] says “" in told
    assert told.endswith("(2 March 2026, newer).")


@pytest.mark.parametrize(
    ("question", "first", "second"),
    [
        ("How long do refunds take?", "Refunds are paid within ten days.", "Refunds take five days."),
        ("How long do refunds take?", "Refunds are paid within 14 days.", "Refunds are paid within two weeks."),
        (
            "How long do refunds take?",
            "Refunds are paid within five days.",
            "Ask for refunds within 30 days of buying.",
        ),
        ("limits for approval", "Anything above 250 EUR needs an approval from finance.", "Hotels up to 220 EUR."),
        ("error", "ERR-1042 means disk full, see v2.3.1", "ERR-1043 means disk full, see v2.3.2"),
        ("who answers", "Ann answers on Monday, Bo on Tuesday.", "Bo answers on Monday."),
        ("price of the plan", "The Team plan costs 10 EUR.", "The Business plan costs 20 EUR."),
        ("approvals of a payment", "Payments above 1,000 EUR need two approvals.", "Payments above 250 EUR need one."),
        ("meeting", "Is the meeting on Monday?", "The meeting is on Tuesday."),
        ("when is the meeting", "The weekly meeting is at 10:00.", "The monthly meeting is at 11:00."),
        ("severity", "Severity 1 incidents: 15 minutes.", "Severity 2 incidents: 60 minutes."),
        ("what needs an approval", "```\nneed: 2\nexpires: 4h\n```", "```\nneed: 1\nexpires: 4h\n```"),
        ("how long are keys valid", "Keys are valid for 90 days.", "Parking is free for 30 days."),
    ],
)
def test_what_can_both_hold_or_is_about_something_else_is_not_told(question: str, first: str, second: str) -> None:
    assert differ(question, first, second) == []


def test_titles_and_headings_say_what_a_statement_is_about() -> None:
    first, second = "Paid within five days.", "Paid within ten days."
    assert differ("how long do refunds take", first, second, ("Refunds", "FAQ › Refunds"))
    assert not differ("how long do refunds take", first, second, ("Refunds", "Wages"))
    longer = "We send the money back within 5 working days, always to the card or account that was charged."
    assert differ(
        "how long do refunds take",
        longer,
        "How long it takes: we send the money back within 10 working days.",
        ("Refunds › How long it takes", "Answers › Refunds"),
    )


def test_two_parts_of_a_document_do_not_contradict_each_other_and_a_third_source_joins() -> None:
    def stated(label: str, document: str, text: str) -> Stated:
        return Stated(label, document, "Refunds", text)

    five, ten = "Refunds take five days.", "Refunds take ten days."
    assert differences("how long do refunds take", [stated("[1]", "a", five), stated("[2]", "a", ten)]) == []
    sources = [stated("[1]", "a", five), stated("[2]", "b", ten), stated("[3]", "c", ten)]
    [told] = differences("how long do refunds take", sources)
    assert told.sentence == (
        "These sources differ: [1] says “Refunds take five days.”, [2] says “Refunds take ten days.”, "
        "[3] says “Refunds take ten days.”."
    )


def test_what_a_source_says_is_no_markup_and_cites_nothing() -> None:
    [told] = differ("how long do refunds take", "Refunds take **five** days [9].", "Refunds take `ten` days <b>.")
    assert "[9]" not in told
    assert not set("*`<") & set(told)


@pytest.mark.parametrize(
    ("older", "newer", "contradict"),
    [
        ("The lift carries 8 people.", "the lift carries 9 people", True),
        ("Alcohol is covered.", "Alcohol is not covered.", True),
        ("The lift carries 8 people.", "The lift carries 8 people.", False),
        ("The lift carries 8 people.", "The new lift carries 9 people.", False),
        ("Invoices go to Jo.", "Invoices go to Kim.", False),
        ("Ann takes 5 days off.", "Bo takes 6 days off.", False),
        ("8 people", "9 people", False),
    ],
)
def test_facts_that_say_the_same_but_for_a_value_contradict_each_other(
    older: str, newer: str, contradict: bool
) -> None:
    assert contradicts(older, newer) is contradict
