"""Every tool has a test for every case that it has to bear, or there is a reason why the case does not apply."""

from __future__ import annotations

import importlib
from pathlib import Path

from tests.tools.cases import CASES, SHOWN
from tools.engine import discover

OUTSIDE = ("MCP", "OpenAPI")  # tools that servers and documents bring: each is one tool here
TOOLS = (*sorted(tool.name for tool in discover()), *OUTSIDE)
READS = tuple(tool.name for tool in discover() if tool.effect in {"read", "fetch"})
CHARTER = ("read_rules", "draft_rules", "change_rules", "draft_workflow", "activate_workflow")
FILES = ("list_files", "read_file", "write_file", "move_file", "delete_file")
TALK = ("search_chat", "read_chat", "read_request", "post_message", "message_person", "open_poll")
OWN = ("search_knowledge", "remember", "list_payments", "queue_payment", "undo", "draw_chart")
INSIDE = (*CHARTER, *FILES, *TALK, *OWN, "read_skill")

REASONS: dict[str, dict[tuple[str, ...], str]] = {
    "works": {
        CHARTER: "It needs a whole installation: tests/behaviours/test_rules.py and test_workflows.py.",
    },
    "not let in": {
        CHARTER: "Who may use it the rules decide; it always asks where it changes anything.",
        ("move_file", "delete_file"): "It takes the same way to a file as write_file: spot_of.",
        (
            "remember",
            "list_payments",
            "queue_payment",
            "draw_chart",
        ): "It asks nobody; who may use it the rules decide.",
    },
    "not there": {
        CHARTER: "It needs a whole installation: tests/behaviours/test_rules.py and test_workflows.py.",
        (
            "search_mail",
            "list_events",
            "find_free_time",
            "describe_database",
        ): "Nothing found is an answer, no failure.",
        ("draft_mail",): "It takes the same way to attachments and threads as send_mail: outgoing.ready.",
        ("cancel_event", "invite_to_event"): "It takes the same way to an event as move_event: changing.found.",
        ("write_file", "remember", "queue_payment", "open_poll", "draw_chart"): "It makes what is not there.",
        ("move_file", "delete_file"): "It takes the same way to a file as read_file: Workspace.",
    },
    "hangs": {
        INSIDE: "It asks only Bosun's own database, folder or index, within the time of every tool: test_permit.py.",
        ("search_web",): "The request is made by the same service as that of OpenAPI tools.",
    },
    "garbage": {
        (*CHARTER, *TALK, "search_knowledge", "remember", "list_payments", "undo"): "Nobody else answers.",
        tuple({*FILES} - {"read_file"}): "What is no text is said to be: test_workspace.py.",
        ("query_database", "describe_database"): "What is no database is refused by the library, in a sentence.",
        ("OpenAPI",): "An answer is text, whatever it is.",
    },
    "huge": {
        (*CHARTER, *OWN, "read_skill"): "Arguments and results have limits: test_permit.py, test_every_tool.py.",
        tuple({*TALK} - {"read_chat"}): "Arguments and results have limits: test_permit.py, test_every_tool.py.",
        tuple({*FILES} - {"read_file"}): "Files, texts and listings have limits: test_workspace.py.",
        ("describe_database",): "The result is cut as every other: test_permit.py.",
    },
    "too many": {
        (*INSIDE, "run_python", "query_database", "describe_database"): "Nobody limits how often it may ask.",
        ("MCP",): "MCP has no such answer: it is a failure as any other, in the server's words.",
    },
    "crash": {
        READS: "It reads, so it is done again.",
        ("change_rules", "activate_workflow"): "The same file is written again.",
    },
    "hostile": {
        (*CHARTER, "read_skill"): "It returns the team's own charter.",
        ("find_free_time", "describe_database"): "It returns times, or the names of tables.",
        (
            "draft_mail",
            "create_event",
            "move_event",
            "cancel_event",
            "invite_to_event",
        ): "It returns nothing of others.",
        ("add_record", "change_record", "remove_record", "export_crm"): "It returns nothing of others.",
        (
            "write_file",
            "move_file",
            "delete_file",
            "remember",
            "queue_payment",
            "draw_chart",
        ): "It returns only its own.",
        ("post_message", "message_person", "open_poll"): "What it sends is written for each platform: tests/document.",
    },
}


def reason(tool: str, case: str) -> str:
    """Why the case does not apply to the tool; empty where it does."""
    return next((why for tools, why in REASONS.get(case, {}).items() if tool in tools), "")


def test_every_tool_shows_every_case_or_says_why_not() -> None:
    for path in sorted(Path(__file__).parent.glob("test_*.py")):
        importlib.import_module(f"tests.tools.{path.stem}")
    missing = [
        f"{tool}: {case}" for tool in TOOLS for case in CASES if (tool, case) not in SHOWN and not reason(tool, case)
    ]
    assert missing == []
    assert {tool for tool, _ in SHOWN} <= set(TOOLS)  # no tool that is gone
    assert [f"{tool}: {case}" for tool, case in SHOWN if reason(tool, case)] == []  # no reason that is none
