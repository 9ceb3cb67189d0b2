"""Workflows in plain words, as people read them before they let one run."""

import pytest

from tests.workflows.world import KINDS, at, workflow
from workflows.engine import wording
from workflows.engine.overview import in_plain_words

WHOLE = """
name: money
description: Pays what is due
channel: "#finance"
owner: finance
trigger:
  - {cron: "0 9 * * mon-fri", except: holidays}
  - {message: {channel: "#general", contains: "pay:", by: finance}}
  - {after: {workflow: digest, ended: [failed]}}
overlap: skip
limits: {cost: 2, time: 4h}
inputs:
  customer: {description: Whom it is about, default: all}
steps:
  - ask: {agent: finance, prompt: "What is due for {inputs.customer}?"}
    retry: {times: 2}
  - branch:
      if: {value: "{steps.ask.text}", empty: false}
      then:
        - approve: {headline: "Pay what is due", who: finance, need: 2}
        - call: {tool: queue_payment, agent: finance}
          undo: {call: {tool: undo}}
      else:
        - post: {text: Nothing is due}
  - each:
      in: "{steps.ask.text}"
      parallel: 3
      do:
        - wait: {for: 2h}
          on_failure: go_on
"""


@pytest.mark.parametrize(
    ("cron", "said"),
    [
        ("0 9 * * mon-fri", "Every weekday at 09:00 (Europe/Zurich)"),
        ("30 8,17 * * *", "Every day at 08:30 and 17:30 (Europe/Zurich)"),
        ("0 9 * * mon,wed", "Every Monday, Wednesday at 09:00 (Europe/Zurich)"),
        ("0 6 1 * *", "On the 1. of every month at 06:00 (Europe/Zurich)"),
        ("0 6 1 1,7 *", "On the 1. of January, July at 06:00 (Europe/Zurich)"),
        ("0 6 * 12 sun", "Every Sunday of December at 06:00 (Europe/Zurich)"),
        ("*/5 * * * *", "At `*/5 * * * *` (Europe/Zurich)"),
        ("0 9 1 * mon", "At `0 9 1 * mon` (Europe/Zurich)"),
    ],
)
def test_times_are_said_as_people_say_them(cron: str, said: str) -> None:
    timed = workflow(WHOLE.replace("0 9 * * mon-fri", cron)).timed[0]
    assert wording.begins(workflow(WHOLE.replace("0 9 * * mon-fri", cron)))[0].startswith(said)
    assert timed.zone == "Europe/Zurich"


def test_a_whole_workflow_in_plain_words() -> None:
    made_up = "after downtime the latest is made up for"
    days = ("Wed 23", "Mon 28", "Tue 29", "Wed 30", "Thu 31")
    said = in_plain_words(workflow(WHOLE), KINDS, at("2026-12-22 12:00"))
    assert said.splitlines() == [
        "**money**: Pays what is due",
        "",
        f"- **Begins:** Every weekday at 09:00 (Europe/Zurich), except holidays; {made_up}.",
        "- **Begins:** When a message by somebody of finance in #general contains “pay:”.",
        "- **Begins:** When the workflow digest has failed.",
        f"- **Next:** {'; '.join(f'{day} Dec 2026 09:00' for day in days)} (Europe/Zurich)",
        "- **Result:** goes to #finance",
        "- **A firing while one is at work:** is left out",
        "- **Decides about it:** finance",
        "- **Ends at:** 2.00 USD or 4h",
        "- **Input** `customer`: Whom it is about (default all)",
        "",
        "Steps:",
        "",
        "1. ask the agent finance: “What is due for {inputs.customer}?” (tried 3 times)",
        "2. if {steps.ask.text} is not empty",
        "   - then:",
        "     1. 2 of finance approve: “Pay what is due”",
        "     2. use queue_payment as finance, by the rules (undone if a later step fails)",
        "   - else:",
        "     1. post “Nothing is due”",
        "3. for every item of {steps.ask.text}, 3 at once",
        "   1. wait for 2h (goes on if it fails)",
    ]


def test_the_next_times_of_several_timetables_come_in_order() -> None:
    twice = workflow(
        "name: twice\ndescription: d\nchannel: '#general'\n"
        "trigger: [{cron: '0 9 * * *'}, {every: 12h}]\nsteps: [{post: {text: Hi}}]\n"
    )
    found = wording.next_fires(twice, at("2026-03-02 07:00"), 4)
    assert [f"{one:%d %H:%M}" for one in found] == ["02 08:00", "02 12:00", "03 00:00", "03 08:00"]
