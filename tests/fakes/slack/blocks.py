"""Checks what is posted against Block Kit's limits, as Slack does with `invalid_blocks`."""

from __future__ import annotations

from typing import Any

from tests.fakes.slack.world import Json, SlackError

MESSAGE = {"section", "divider", "image", "actions", "context", "header", "markdown", "rich_text", "file", "video"}
MESSAGE |= {"data_table", "context_actions", "plan", "task_card"}
HOME = {"section", "divider", "image", "actions", "context", "header", "input", "rich_text"}
MODAL = {"section", "divider", "image", "actions", "context", "header", "input", "rich_text"}


def check_message(blocks: object, text: object) -> None:
    """Raise what chat.postMessage would answer."""
    if blocks in (None, []):
        if not text:
            raise SlackError("no_text")
        return
    if len(str(text or "")) > 40_000:
        raise SlackError("msg_too_long")
    _check(blocks, MESSAGE, 50)
    assert isinstance(blocks, list)
    tables = [block for block in blocks if block["type"] == "data_table"]
    size = sum(len(cell["text"]) for block in tables for row in block["rows"] for cell in row)
    _require(size <= 10_000, "data tables have more than 10000 characters together")
    prose = sum(len(block["text"]) for block in blocks if block["type"] == "markdown")
    _require(prose <= 12_000, "markdown blocks have more than 12000 characters together")


def check_view(view: Json) -> None:
    """Raise what views.open would answer."""
    for name in ("title", "submit", "close"):
        if name in view:
            _text(view[name], 24, {"plain_text"}, name)
    _require("title" in view, "a view needs a title")
    _require(len(view.get("private_metadata", "")) <= 3_000, "private_metadata is too long")
    _require(len(view.get("callback_id", "")) <= 255, "callback_id is too long")
    _check(view.get("blocks"), MODAL, 100)
    if any(block["type"] == "input" for block in view["blocks"]):
        _require("submit" in view, "a view with inputs needs a submit")


def check_home(view: Json) -> None:
    """Raise what views.publish would answer."""
    _require(view.get("type") == "home" and not {"title", "submit", "close"} & set(view), "a home view has blocks only")
    _check(view.get("blocks"), HOME, 100)


def _check(blocks: object, allowed: set[str], most: int) -> None:
    _require(isinstance(blocks, list) and 0 < len(blocks) <= most, f"between 1 and {most} blocks")
    assert isinstance(blocks, list)
    seen: set[str] = set()
    accessories = [block["accessory"]["action_id"] for block in blocks if "accessory" in block]
    _require(len(set(accessories)) == len(accessories), "action_id not unique")
    for block in blocks:
        _require(block.get("type") in allowed, f"unsupported block {block.get('type')}")
        if "block_id" in block:
            _require(block["block_id"] not in seen and len(block["block_id"]) <= 255, "block_id not unique or too long")
            seen.add(block["block_id"])
        CHECKS.get(block["type"], _anything)(block)


def _anything(block: Json) -> None:
    pass


def _section(block: Json) -> None:
    _require("text" in block or "fields" in block, "a section needs text or fields")
    if "text" in block:
        _text(block["text"], 3_000, {"mrkdwn", "plain_text"}, "section")
    _require(len(block.get("fields", [])) <= 10, "more than 10 fields")
    for item in block.get("fields", []):
        _text(item, 2_000, {"mrkdwn", "plain_text"}, "field")
    if "accessory" in block:
        _button(block["accessory"])


def _header(block: Json) -> None:
    _text(block.get("text"), 150, {"plain_text"}, "header")


def _markdown(block: Json) -> None:
    _require(isinstance(block.get("text"), str) and 0 < len(block["text"]) <= 12_000, "markdown text")


def _context(block: Json) -> None:
    _require(0 < len(block.get("elements", [])) <= 10, "context elements")
    for element in block["elements"]:
        _text(element, 3_000, {"mrkdwn", "plain_text"}, "context")


def _actions(block: Json) -> None:
    _require(0 < len(block.get("elements", [])) <= 25, "actions elements")
    ids = [element.get("action_id") for element in block["elements"]]
    _require(len(set(ids)) == len(ids), "action_id not unique")
    for element in block["elements"]:
        (_menu if element.get("type") == "overflow" else _button)(element)


def _menu(element: Json) -> None:
    _require(0 < len(element.get("action_id", "")) <= 255, "action_id")
    _require(1 <= len(element.get("options", [])) <= 5, "between 1 and 5 options")
    for option in element["options"]:
        _text(option.get("text"), 75, {"plain_text"}, "option")
        _require(0 < len(option.get("value", "")) <= 150, "option value")


def _button(element: Json) -> None:
    _require(element.get("type") == "button", f"unsupported element {element.get('type')}")
    _text(element.get("text"), 75, {"plain_text"}, "button")
    _require(0 < len(element.get("action_id", "")) <= 255, "action_id")
    _require(len(element.get("value", "")) <= 2_000, "value")
    _require(len(element.get("url", "")) <= 3_000, "url")
    _require(element.get("style", "primary") in {"primary", "danger"}, "style")
    if confirm := element.get("confirm"):
        _text(confirm.get("title"), 100, {"plain_text"}, "confirm title")
        _text(confirm.get("text"), 300, {"plain_text", "mrkdwn"}, "confirm text")
        _text(confirm.get("confirm"), 30, {"plain_text"}, "confirm label")
        _text(confirm.get("deny"), 30, {"plain_text"}, "deny label")


def _input(block: Json) -> None:
    _text(block.get("label"), 2_000, {"plain_text"}, "label")
    if "hint" in block:
        _text(block["hint"], 2_000, {"plain_text"}, "hint")
    element = block.get("element") or {}
    if element.get("type") in {"checkboxes", "radio_buttons"}:
        _picks(element)
        return
    _require(element.get("type") == "plain_text_input", "unsupported input")
    _require(1 <= element.get("max_length", 3_000) <= 3_000, "max_length")
    _require(len(element.get("initial_value", "")) <= element.get("max_length", 3_000), "initial_value")


def _picks(element: Json) -> None:
    _require(1 <= len(element.get("options", [])) <= 10, "between 1 and 10 options")
    for option in element["options"]:
        _text(option.get("text"), 75, {"plain_text", "mrkdwn"}, "option")
        _require(0 < len(option.get("value", "")) <= 150, "option value")
        if "description" in option:
            _text(option["description"], 75, {"plain_text", "mrkdwn"}, "option description")
    first = element.get("initial_options") or ([element["initial_option"]] if "initial_option" in element else [])
    _require(all(option in element["options"] for option in first), "initial options that are no options")


def _rich_text(block: Json) -> None:
    for element in block.get("elements", []):
        for part in element.get("elements", []):
            _require(part.get("type") != "text" or len(part.get("text", "")) > 0, "empty rich text")


def _data_table(block: Json) -> None:
    rows = block.get("rows") or []
    _require(isinstance(block.get("caption"), str) and bool(block["caption"]), "a data table needs a caption")
    _require(2 <= len(rows) <= 101, "a header and 1 to 100 rows")
    _require(1 <= len(rows[0]) <= 20 and len({len(row) for row in rows}) == 1, "1 to 20 columns, the same in each row")
    _require(1 <= block.get("page_size", 5) <= 100, "page_size")
    for cell in (cell for row in rows for cell in row):
        _require(cell.get("type") in {"raw_text", "raw_number"} and bool(cell.get("text")), "cell")


def _context_actions(block: Json) -> None:
    _require(0 < len(block.get("elements", [])) <= 5, "context_actions elements")
    for element in block["elements"]:
        _require(element.get("type") in {"feedback_buttons", "icon_button"}, "context_actions element")
        _require(0 < len(element.get("action_id", "")) <= 255, "action_id")
        if element["type"] == "feedback_buttons":
            for name in ("positive_button", "negative_button"):
                thumb = element.get(name) or {}
                _text(thumb.get("text"), 75, {"plain_text"}, name)
                _require(0 < len(thumb.get("value", "")) <= 2_000, f"{name} value")
                _require(len(thumb.get("accessibility_label", "")) <= 75, f"{name} accessibility_label")
                _require(not set(thumb) - {"text", "value", "accessibility_label"}, f"{name} has unknown fields")


def _text(value: Any, limit: int, kinds: set[str], what: str) -> None:
    good = isinstance(value, dict) and value.get("type") in kinds and isinstance(value.get("text"), str)
    _require(good and 0 < len(value["text"]) <= limit, f"{what}: 1 to {limit} characters of {sorted(kinds)}")


def _require(good: bool, message: str) -> None:
    if not good:
        raise SlackError("invalid_blocks", response_metadata={"messages": [f"[ERROR] {message}"]})


CHECKS = {
    "section": _section,
    "header": _header,
    "markdown": _markdown,
    "context": _context,
    "actions": _actions,
    "input": _input,
    "rich_text": _rich_text,
    "data_table": _data_table,
    "context_actions": _context_actions,
}


def visible(message: Json) -> str:
    """What a person reads of a message: its blocks, else its text."""
    parts = [_words(block) for block in message.get("blocks") or ()]
    return "\n".join(part for part in parts if part) or str(message.get("text") or "")


def buttons(message: Json) -> list[Json]:
    """The buttons of a message, the entries of its menus and its thumbs, in order."""
    blocks = message.get("blocks") or ()
    rows = [
        block["elements"] if block["type"] in {"actions", "context_actions"} else [block["accessory"]]
        for block in blocks
        if block["type"] in {"actions", "context_actions"} or "accessory" in block
    ]
    return [pressable for row in rows for element in row for pressable in _pressable(element)]


def _pressable(element: Json) -> list[Json]:
    if element["type"] == "feedback_buttons":
        thumbs = (element["positive_button"], element["negative_button"])
        return [{"type": element["type"], "action_id": element["action_id"], **thumb} for thumb in thumbs]
    if element["type"] != "overflow":
        return [element]
    return [{**element, "text": option["text"], "selected_option": option} for option in element["options"]]


def _words(block: Json) -> str:
    kind = block["type"]
    if kind == "markdown":
        return str(block["text"])
    if kind in {"header", "section"}:
        parts = [block["text"]] if "text" in block else []
        return "\n".join(part["text"] for part in parts + block.get("fields", []))
    if kind == "context":
        return "\n".join(element["text"] for element in block["elements"])
    if kind == "data_table":
        return "\n".join(" | ".join(cell["text"] for cell in row) for row in block["rows"])
    if kind == "rich_text":
        return "".join(part.get("text", "") for element in block["elements"] for part in element["elements"])
    return ""
