"""Checks what the app sends against Discord's limits, with the errors that Discord gives."""

from __future__ import annotations

from typing import Any

from tests.fakes.discord.world import EPHEMERAL, SUPPRESS_EMBEDS, V2, DiscordError, Json

ROW, BUTTON, SELECT, INPUT, SECTION, TEXT, THUMBNAIL, GALLERY, FILE, SEPARATOR, CONTAINER, LABEL, RADIOS, CHECKS = (
    1, 2, 3, 4, 9, 10, 11, 12, 13, 14, 17, 18, 21, 22,
)  # fmt: skip
IN_ROW = {BUTTON, SELECT, 5, 6, 7, 8}
TOP = {ROW, SECTION, TEXT, GALLERY, FILE, SEPARATOR, CONTAINER}
IN_CONTAINER = TOP - {CONTAINER}
CONTENT, NONCE, COMPONENTS, CHARACTERS = 2_000, 25, 40, 4_000
FILE_BYTES, FILES = 10 * 1024 * 1024, 10


def invalid(where: str, why: str) -> DiscordError:
    """50035, as the form checker says it."""
    return DiscordError(
        400,
        50035,
        "Invalid Form Body",
        errors={where: {"_errors": [{"code": "BASE_TYPE_BAD", "message": why}]}},
    )


def require(good: object, where: str, why: str) -> None:
    """50035 where it is not good."""
    if not good:
        raise invalid(where, why)


def check_message(payload: Json, files: dict[str, bytes], *, edited: Json | None = None) -> None:
    """Raise what posting (or editing `edited`) would answer."""
    flags = int(payload.get("flags") or 0)
    allowed = V2 | EPHEMERAL | SUPPRESS_EMBEDS | (1 << 12)
    require(not flags & ~allowed, "flags", f"unknown flags {flags}")
    was_v2 = bool(edited and edited["flags"] & V2)
    v2 = was_v2 or bool(flags & V2)
    content = payload.get("content")
    require(content is None or isinstance(content, str), "content", "Could not interpret as string.")
    require(len(content or "") <= CONTENT, "content", f"Must be {CONTENT} or fewer in length.")
    require(len(str(payload.get("nonce") or "")) <= NONCE, "nonce", f"Must be {NONCE} or fewer in length.")
    if v2:
        require(
            not content and not payload.get("embeds"), "content", "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2"
        )
    components = payload.get("components")
    if components:
        check_components(components, v2=v2, names=set(files))
    _check_files(payload, files)
    empty = not (content or components or files or payload.get("embeds") or payload.get("sticker_ids"))
    if empty and edited is None:
        raise DiscordError(400, 50006, "Cannot send an empty message")


def _check_files(payload: Json, files: dict[str, bytes]) -> None:
    require(len(files) <= FILES, "attachments", f"Must be {FILES} or fewer in length.")
    if sum(len(content) for content in files.values()) > 25 * 1024 * 1024 or any(
        len(content) > FILE_BYTES for content in files.values()
    ):
        raise DiscordError(413, 40005, "Request entity too large")
    for attachment in payload.get("attachments") or ():
        require(len(attachment.get("description") or "") <= 1024, "attachments", "Must be 1024 or fewer in length.")


def check_components(components: Any, *, v2: bool, names: set[str] | None = None) -> None:
    """Raise what components with a fault would answer."""
    require(isinstance(components, list), "components", "Only arrays may be used here.")
    if not v2:
        require(len(components) <= 5, "components", "Must be 5 or fewer in length.")
    ids: list[str] = []
    count, characters = 0, 0
    for component in components:
        kind = component.get("type")
        require(kind in TOP if v2 else kind == ROW, "components", f"type {kind} is not allowed here")
        more, letters = _walk(component, ids, names or set(), v2=v2)
        count, characters = count + more, characters + letters
    require(count <= COMPONENTS, "components", f"COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED ({COMPONENTS})")
    require(characters <= CHARACTERS, "components", f"COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED ({CHARACTERS})")
    require(len(set(ids)) == len(ids), "components", "COMPONENT_CUSTOM_ID_DUPLICATED")


def _walk(component: Json, ids: list[str], names: set[str], *, v2: bool) -> tuple[int, int]:
    """How many components it is and how much text is in it."""
    kind = component["type"]
    if kind == BUTTON:
        _button(component, ids)
        return 1, 0
    if kind == TEXT:
        text = component.get("content")
        require(isinstance(text, str) and text, "content", "This field is required")
        return 1, len(str(text))
    if kind == FILE:
        name = str(component["file"]["url"]).removeprefix("attachment://")
        require(name in names, "file", "UNFURLED_MEDIA_ITEM_REFERENCED_ATTACHMENT_NOT_FOUND")
        return 1, 0
    if kind in {ROW, CONTAINER}:
        children = component.get("components") or []
        allowed = IN_ROW if kind == ROW else IN_CONTAINER
        require(len(children) > 0, "components", "must have at least one child")
        if kind == ROW:
            require(len(children) <= 5, "components", "Must be 5 or fewer in length.")
        total, characters = 1, 0
        for child in children:
            require(child.get("type") in allowed, "components", f"type {child.get('type')} is not allowed here")
            more, letters = _walk(child, ids, names, v2=v2)
            total, characters = total + more, characters + letters
        return total, characters
    if kind == SECTION:
        return _section(component, ids, names)
    require(kind in {SEPARATOR, GALLERY, SELECT}, "type", f"unknown type {kind}")
    return 1, 0


def _section(section: Json, ids: list[str], names: set[str]) -> tuple[int, int]:
    texts, accessory = section.get("components") or [], section.get("accessory") or {}
    require(1 <= len(texts) <= 3, "components", "Must be between 1 and 3 in length.")
    require(all(text.get("type") == TEXT for text in texts), "components", "only texts in a section")
    require(accessory.get("type") in {BUTTON, THUMBNAIL}, "accessory", "This field is required")
    if accessory["type"] == BUTTON:
        _button(accessory, ids)
    walked = [_walk(text, ids, names, v2=True) for text in texts]
    return 2 + sum(count for count, _ in walked), sum(letters for _, letters in walked)


def _button(button: Json, ids: list[str]) -> None:
    style = button.get("style")
    require(style in {1, 2, 3, 4, 5}, "style", "Value must be one of {1, 2, 3, 4, 5}.")
    require(0 < len(button.get("label") or "") <= 80, "label", "Must be between 1 and 80 in length.")
    if style == 5:
        require("custom_id" not in button and 0 < len(button.get("url") or "") <= 512, "url", "link buttons need a url")
        return
    custom_id = button.get("custom_id") or ""
    require(0 < len(custom_id) <= 100, "custom_id", "Must be between 1 and 100 in length.")
    ids.append(custom_id)


def check_modal(modal: Json) -> None:
    """Raise what answering with this dialog would answer."""
    require(0 < len(modal.get("title") or "") <= 45, "title", "Must be between 1 and 45 in length.")
    require(0 < len(modal.get("custom_id") or "") <= 100, "custom_id", "Must be between 1 and 100 in length.")
    items = modal.get("components") or []
    require(0 < len(items) <= 5, "components", "Must be between 1 and 5 in length.")
    ids: list[str] = []
    for item in items:
        require(item.get("type") in {LABEL, TEXT}, "components", "only labels and text in a dialog")
        if item["type"] == TEXT:
            require(0 < len(item.get("content") or "") <= CHARACTERS, "content", "text")
            continue
        require(0 < len(item.get("label") or "") <= 45, "label", "Must be between 1 and 45 in length.")
        require(len(item.get("description") or "") <= 100, "description", "Must be 100 or fewer in length.")
        field = item.get("component") or {}
        require(
            field.get("type") in {INPUT, RADIOS, CHECKS}, "component", "only text inputs and choices are known here"
        )
        require(0 < len(field.get("custom_id") or "") <= 100, "custom_id", "Must be between 1 and 100 in length.")
        if field["type"] != INPUT:
            _choices(field)
        require(len(field.get("value") or "") <= (field.get("max_length") or 4000) <= 4000, "value", "too long")
        require(len(field.get("placeholder") or "") <= 100, "placeholder", "Must be 100 or fewer in length.")
        ids.append(field["custom_id"])
    require(len(set(ids)) == len(ids), "components", "COMPONENT_CUSTOM_ID_DUPLICATED")


def _choices(field: Json) -> None:
    options, fewest = field.get("options") or [], 2 if field["type"] == RADIOS else 1
    require(fewest <= len(options) <= 10, "options", f"Must be between {fewest} and 10 in length.")
    require(len({one["value"] for one in options}) == len(options), "options", "Values must be unique.")
    for one in options:
        for name in ("label", "value"):
            require(0 < len(one.get(name) or "") <= 100, name, "Must be between 1 and 100 in length.")
        require(len(one.get("description") or "") <= 100, "description", "Must be 100 or fewer in length.")
    if field["type"] == RADIOS:
        require(sum(bool(one.get("default")) for one in options) <= 1, "options", "Only one may be the default.")
        return
    least, most = field.get("min_values", 1), field.get("max_values", len(options))
    require(0 <= least <= most <= len(options), "max_values", "Must be within the options.")
    require(least > 0 or field.get("required") is False, "min_values", "Must be 1 or more where it is required.")


def check_commands(commands: list[Json]) -> None:
    """Raise what registering these would answer."""
    require(len(commands) <= 100, "commands", "Maximum number of application commands reached (100)")
    for command in commands:
        _command(command, 1)
        require(_words_of(command) <= 8000, "options", "Command exceeds maximum size (8000)")


def _words_of(command: Json) -> int:
    """Characters of the names, descriptions and values of a command and everything below it."""
    own = sum(len(str(command.get(name) or "")) for name in ("name", "description", "value"))
    return own + sum(_words_of(one) for name in ("options", "choices") for one in command.get(name) or ())


def _command(command: Json, depth: int) -> None:
    name, description = command.get("name") or "", command.get("description") or ""
    require(
        0 < len(name) <= 32 and (name == name.lower() or command.get("type") in {2, 3}),
        "name",
        "Command name is invalid",
    )
    if command.get("type", 1) not in {2, 3}:
        require(0 < len(description) <= 100, "description", "Must be between 1 and 100 in length.")
    options = command.get("options") or []
    require(len(options) <= 25 and depth <= 4, "options", "Must be 25 or fewer in length.")
    for option in options:
        _command(option, depth + 1)


def visible(message: Json) -> str:
    """What a person reads of a message: its text, its cards and the names of its files."""
    parts = [str(message.get("content") or ""), *(_words(component) for component in message.get("components") or ())]
    parts += [str(file["filename"]) for file in message.get("attachments") or ()]
    return "\n".join(part for part in parts if part)


def _words(component: Json) -> str:
    if component["type"] == TEXT:
        return str(component["content"])
    parts = [_words(child) for child in component.get("components") or () if child["type"] != BUTTON]
    return "\n".join(part for part in parts if part)


def buttons(message: Json) -> list[Json]:
    """The buttons of a message, in order."""
    found: list[Json] = []
    for component in message.get("components") or ():
        found += [component] if component["type"] == BUTTON else buttons(component)
        accessory = component.get("accessory") or {}
        found += [accessory] if accessory.get("type") == BUTTON else []
    return found
