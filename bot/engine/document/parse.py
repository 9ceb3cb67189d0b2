"""Markdown, by whoever wrote it, as a `Document`. Nothing of what it says is left out."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from markdown_it import MarkdownIt

from bot.engine.document.nodes import (
    Break,
    Cite,
    Code,
    CodeSpan,
    Document,
    Heading,
    Link,
    Listing,
    Mention,
    Paragraph,
    Quote,
    Rule,
    Styled,
    Table,
    Words,
)
from bot.engine.document.plain import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from markdown_it.token import Token

    from bot.engine.document.nodes import Align, Block, Inline

DEEPEST = 24  # levels of lists and quotes in one another; a text with more is shown as it was typed
STYLES = 6  # emphasis within emphasis; what is deeper keeps its words
LANGUAGE = re.compile(r"[\w+#.-]{1,30}")
# Bare addresses, numbers of sources and mentions in running text.
ADDRESS = r"https?://[^\s<>\"'`]*[^\s<>\"'`.,;:!?)\]}*_]"
SPECIAL = re.compile(rf"(?P<url>{ADDRESS})|\[(?P<cite>[1-9]\d?)\]|(?<![\w@./])@(?P<who>[A-Za-z0-9][\w.-]*\w|\w)")


@lru_cache(maxsize=512)
def parse(markdown: str) -> Document:
    """The text as a tree. Every visible character of the text is somewhere in it."""
    text = visible(markdown)
    tokens = _parser().parse(text)
    if any(token.level >= DEEPEST for token in tokens):
        return Document(blocks=(Code(text=text.strip("\n")),) if text.strip() else ())
    return Document(blocks=tuple(_Reader(tokens).blocks("")))


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "breaks": True, "maxNesting": 100})
    parser.enable(["table", "strikethrough"])
    parser.disable("reference")  # what a definition says would be left out
    return parser


class _Reader:
    """Reads the parser's flat list of tokens."""

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.at = 0

    def blocks(self, end: str) -> Iterator[Block]:
        """The blocks up to the token `end`, which is taken too."""
        while self.at < len(self.tokens):
            token = self._next()
            if token.type == end:
                return
            block = self._block(token)
            if block is not None:
                yield block

    def _next(self) -> Token:
        token = self.tokens[self.at]
        self.at += 1
        return token

    def _block(self, token: Token) -> Block | None:
        match token.type:
            case "paragraph_open":
                return self._paragraph()
            case "heading_open":
                children = self._line()
                return Heading(level=int(token.tag[1]), children=children) if children else None
            case "fence" | "code_block":
                return _code(token)
            case "blockquote_open":
                return Quote(blocks=tuple(self.blocks("blockquote_close")))
            case "bullet_list_open" | "ordered_list_open":
                return self._listing(token)
            case "table_open":
                return self._table()
            case "hr":
                return Rule()
        return None

    def _paragraph(self) -> Paragraph | None:
        children = self._line()
        return Paragraph(children=children) if children else None

    def _line(self) -> tuple[Inline, ...]:
        """The inline token that stands here, with the token that closes it."""
        children = inline(self._next().children or [])
        self._next()
        return children

    def _listing(self, token: Token) -> Listing:
        ordered = token.type == "ordered_list_open"
        start = int(token.attrGet("start") or 1) if ordered and token.attrGet("start") != 0 else 0
        items: list[tuple[Block, ...]] = []
        tight = True
        while (opening := self._next()).type == "list_item_open":
            first = self.tokens[self.at]
            tight = tight and not (first.type == "paragraph_open" and not first.hidden)
            items.append(tuple(self.blocks("list_item_close")))
        assert opening.type.endswith("_list_close")  # noqa: S101  the parser balances its tokens
        return Listing(items=tuple(items), start=start if ordered else None, tight=tight)

    def _table(self) -> Table:
        rows: list[list[tuple[Inline, ...]]] = []
        align: list[Align] = []
        while (token := self._next()).type != "table_close":
            if token.type == "tr_open":
                rows.append([])
            elif token.type in {"th_open", "td_open"}:
                if len(rows) == 1:
                    align.append(_side(token))
                rows[-1].append(self._line())
        header, *body = (tuple(row) for row in rows)
        return Table(header=header, rows=tuple(body), align=tuple(align))


def _code(token: Token) -> Code:
    """What stands behind the fence is the language if it can be one, and else the first line of the text."""
    info, text = token.info.strip(), token.content.removesuffix("\n")
    language = info.partition(" ")[0]
    if not LANGUAGE.fullmatch(language):
        language = ""
    rest = info.removeprefix(language).strip()
    return Code(text=f"{rest}\n{text}" if rest else text, language=language)


def _side(token: Token) -> Align:
    match str(token.attrGet("style") or "").removeprefix("text-align:"):
        case "right":
            return "right"
        case "center":
            return "center"
    return ""


def inline(tokens: list[Token]) -> tuple[Inline, ...]:
    """The children of a line."""
    return tuple(_Line(tokens).upto(""))


class _Line:
    """Reads the tokens of one line; emphasis that is nested too deep keeps its words and loses its marks."""

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.at = 0
        self.styles = 0
        self.links = 0

    def upto(self, end: str) -> Iterator[Inline]:
        """What stands before the token `end`."""
        while self.at < len(self.tokens):
            token = self.tokens[self.at]
            self.at += 1
            if token.type == end and end:
                return
            yield from self._made(token)

    def _made(self, token: Token) -> Iterator[Inline]:
        match token.type:
            case "text" | "text_special":
                yield from (Words(text=token.content),) if self.links else _pieces(token.content)
            case "code_inline":
                yield CodeSpan(text=token.content)
            case "softbreak" | "hardbreak":
                yield Break()
            case "strong_open" | "em_open" | "s_open":
                yield from self._styled(token)
            case "link_open":
                yield self._link(token)
            case "image":
                yield _image(token)
            case _ if token.content:
                yield Words(text=token.content)

    def _styled(self, token: Token) -> Iterator[Inline]:
        if self.styles >= STYLES:
            return  # the closing token is skipped like any other
        self.styles += 1
        children = tuple(self.upto(token.type.replace("_open", "_close")))
        self.styles -= 1
        style = {"strong_open": "strong", "em_open": "em", "s_open": "strike"}[token.type]
        if children:
            yield Styled(style=style, children=children)  # type: ignore[arg-type]

    def _link(self, token: Token) -> Link:
        url = str(token.attrGet("href") or "")
        self.links += 1
        children = tuple(self.upto("link_close"))
        self.links -= 1
        title = str(token.attrGet("title") or "")
        return Link(url=url, children=children or (Words(text=url),), title=title, bare=token.info == "auto")


def _image(token: Token) -> Link:
    url = str(token.attrGet("src") or "")
    label = token.content or url or "picture"
    return Link(url=url, children=(Words(text=label),), title=str(token.attrGet("title") or ""), image=True)


def _pieces(text: str) -> Iterator[Inline]:
    end = 0
    for match in SPECIAL.finditer(text):
        if match.start() > end:
            yield Words(text=text[end : match.start()])
        end = match.end()
        if match["url"]:
            yield Link(url=match["url"], children=(Words(text=match["url"]),), bare=True)
        elif match["cite"]:
            yield Cite(number=int(match["cite"]))
        else:
            yield Mention(handle=match["who"])
    if end < len(text):
        yield Words(text=text[end:])
