"""Markdown to HTML that is safe to show, whoever wrote it. The only place in the web chat where markup is made."""

from __future__ import annotations

import re
from functools import lru_cache
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from markdown_it.rules_core import StateCore

TAGS = frozenset(
    {"p", "br", "hr", "strong", "em", "s", "code", "pre", "blockquote", "ul", "ol", "li", "a", "span", "div"}
    | {"h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td"}
)
ATTRIBUTES = {
    "a": {"href", "title", "class", "target"},
    "ol": {"start"},
    "span": {"class"},
    "code": {"class"},
    "div": {"class"},
    "th": {"class"},
    "td": {"class"},
}
# Bare addresses, numbers of sources and mentions in running text; what becomes of each is decided in _pieces.
ADDRESS = r"https?://[^\s<>\"'`]*[^\s<>\"'`.,;:!?)\]}*_]"
SPECIAL = re.compile(rf"(?P<url>{ADDRESS})|\[(?P<cite>\d{{1,2}})\]|(?<![\w@./])@(?P<who>[A-Za-z0-9][\w.-]*\w|\w)")


def safe_url(url: str) -> str:
    """The address if it may stand in a link (http, https, mailto, or a path of ours), else an empty string."""
    if url.startswith("/"):
        return "" if url.startswith(("//", "/\\")) else url
    try:
        scheme = urlsplit(url).scheme.lower()
    except ValueError:
        return ""
    return url if scheme in {"http", "https", "mailto"} else ""


@lru_cache(maxsize=2048)
def to_html(
    markdown: str, cites: tuple[tuple[int, str, str], ...] = (), mentions: tuple[tuple[str, str], ...] = ()
) -> str:
    """HTML of a Markdown text.

    `cites`: (number, address, title) of the sources, so that "[1]" opens one. `mentions`: (handle, name) of the people
    that become chips; what a model writes gets none.
    """
    env = {"cites": {number: (url, title) for number, url, title in cites}, "mentions": dict(mentions)}
    return nh3.clean(
        _parser().render(markdown, env),
        tags=set(TAGS),
        attributes=ATTRIBUTES,
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
    )


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "breaks": True})
    parser.enable(["table", "strikethrough"])
    parser.core.ruler.push("specials", _specials)
    parser.add_render_rule("image", _image)
    parser.add_render_rule("link_open", _link_open)
    parser.add_render_rule("table_open", lambda *_: '<div class="table"><table>')
    parser.add_render_rule("table_close", lambda *_: "</table></div>")
    parser.add_render_rule("heading_open", _heading)
    parser.add_render_rule("heading_close", _heading)
    parser.add_render_rule("th_open", _cell)
    parser.add_render_rule("td_open", _cell)
    return parser


def _heading(_self: object, tokens: list[Token], index: int, *_: object) -> str:
    level = min(int(tokens[index].tag[1]) + 2, 6)  # the page's own headings are h1 and h2
    return f"<{'/' if tokens[index].nesting < 0 else ''}h{level}>"


def _cell(_self: object, tokens: list[Token], index: int, *_: object) -> str:
    style = str(tokens[index].attrGet("style") or "")
    side = style.removeprefix("text-align:")
    return f'<{tokens[index].tag} class="{side}">' if side in {"right", "center"} else f"<{tokens[index].tag}>"


def _image(_self: object, tokens: list[Token], index: int, *_: object) -> str:
    """A picture becomes a link: showing it would load an address that a model chose."""
    url = safe_url(str(tokens[index].attrGet("src") or ""))
    label = escape(tokens[index].content or url or "picture")
    return f'<a href="{escape(url)}" target="_blank">{label}</a>' if url else label


def _link_open(_self: object, tokens: list[Token], index: int, *_: object) -> str:
    url = safe_url(str(tokens[index].attrGet("href") or ""))
    kind = str(tokens[index].attrGet("class") or "")
    title = str(tokens[index].attrGet("title") or "") or (url if not url.startswith("/") else "")
    return (
        f'<a href="{escape(url)}" target="_blank" title="{escape(title)}"'
        + (f' class="{escape(kind)}"' if kind else "")
        + ">"
        if url
        else "<a>"
    )


def _specials(state: StateCore) -> None:
    for block in state.tokens:
        if block.type == "inline" and block.children:
            block.children = list(_with_specials(block.children, state.env))


def _with_specials(tokens: list[Token], env: Mapping[str, object]) -> Iterator[Token]:
    depth = 0  # inside a link nothing becomes a link
    for token in tokens:
        depth += {"link_open": 1, "link_close": -1}.get(token.type, 0)
        if token.type == "text" and not depth:
            yield from _pieces(token.content, env)
        else:
            yield token


def _pieces(text: str, env: Mapping[str, object]) -> Iterator[Token]:
    end = 0
    for match in SPECIAL.finditer(text):
        made = _KINDS[match.lastgroup or ""](match, env)
        if made:
            if match.start() > end:
                yield _text(text[end : match.start()])
            yield from made
            end = match.end()
    if end < len(text):
        yield _text(text[end:])


def _text(content: str) -> Token:
    return Token("text", "", 0, content=content)


def _link(label: str, **attributes: str | int | float) -> list[Token]:
    return [Token("link_open", "a", 1, attrs=dict(attributes)), _text(label), Token("link_close", "a", -1)]


def _chip(label: str, kind: str) -> list[Token]:
    return [Token("chip_open", "span", 1, attrs={"class": kind}), _text(label), Token("chip_close", "span", -1)]


def _url(match: re.Match[str], _env: Mapping[str, object]) -> list[Token]:
    return _link(match["url"], href=match["url"])


def _cite(match: re.Match[str], env: Mapping[str, object]) -> list[Token]:
    cites = env["cites"]
    if not isinstance(cites, dict) or int(match["cite"]) not in cites:
        return []
    url, title = cites[int(match["cite"])]
    if not safe_url(url):
        return _chip(match["cite"], "cite")
    return _link(match["cite"], **{"href": url, "class": "cite", "title": title})


def _who(match: re.Match[str], env: Mapping[str, object]) -> list[Token]:
    mentions = env["mentions"]
    if not isinstance(mentions, dict) or match["who"].lower() not in mentions:
        return []
    kind = "mention us" if match["who"].lower() == "bosun" else "mention"
    return _chip("@" + mentions[match["who"].lower()], kind)


_KINDS: dict[str, Callable[[re.Match[str], Mapping[str, object]], list[Token]]] = {
    "url": _url,
    "cite": _cite,
    "who": _who,
}
