"""The pages that are not the chat itself: sign-in, documents, downloads, and the shell that the chat's scripts fill."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from bot.web import knowledge_page
from bot.web.api import SignedOut
from bot.web.files import PICTURES, disposition
from bot.web.render import to_html
from kernel.store import web

if TYPE_CHECKING:
    from starlette.requests import Request

    from bot.web.adapter import WebAdapter
    from bot.web.api import Api
    from bot.web.files import Files
    from bot.web.sessions import Sessions
    from bot.web.views import DocumentView, Settings, Sources, WorkflowView
    from kernel.store import Store
    from kernel.types import Person

STATIC = Path(__file__).parent / "static"
SHELL = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<link rel="icon" href="/static/mark.svg" type="image/svg+xml">
<link rel="stylesheet" href="/static/css/tokens.css">
<link rel="stylesheet" href="/static/css/prose.css">
<link rel="stylesheet" href="/static/css/page.css">
<script type="module" src="/static/js/time.js"></script>
<main class="{kind}">{body}</main>
</html>
"""
NO_DOCUMENT = (
    "<h1>Nothing to see here</h1><p>There is no such document, or you may not read it.</p>"
    "<p><a class='button' href='/'>Back to the chat</a></p>"
)
NO_PAGE = (
    "<h1>There is no such page</h1><p>The address may be mistyped, or what it led to is gone.</p>"
    "<p><a class='button' href='/'>Back to the chat</a></p>"
)

NO_WORKFLOW = (
    "<h1>Nothing to see here</h1><p>There is no such workflow, or you may not see it.</p>"
    "<p><a class='button' href='/home'>Back to Home</a></p>"
)


class Pages:
    """All addresses outside /api."""

    def __init__(
        self,
        *,
        store: Store,
        settings: Settings,
        sources: Sources,
        api: Api,
        adapter: WebAdapter,
        sessions: Sessions,
        files: Files,
    ) -> None:
        self._store = store
        self._settings = settings
        self._sources = sources
        self._api = api
        self._adapter = adapter
        self._sessions = sessions
        self._files = files

    def routes(self) -> list[Route | Mount]:
        """The routes."""
        shell = ["/", "/home", "/waiting", "/c/{channel}", "/c/{channel}/t/{thread}"]
        return [
            Mount("/static", StaticFiles(directory=STATIC)),
            Route("/login", self.login),
            Route("/documents/{document}", self.document),
            Route("/knowledge", self.knowledge),
            Route("/workflows/{name}", self.workflow),
            Route("/workflows/{name}/picture.png", self.picture),
            Route("/files/{file}", self.file),
            *(Route(path, self.shell) for path in shell),
            Route("/{path:path}", self.nowhere),
        ]

    async def login(self, request: Request) -> Response:
        """Use a login link: sign in and go to the chat."""
        if request.headers.get("sec-purpose", "").startswith("prefetch"):
            return Response(status_code=503)  # a look ahead must not use the link up
        person = await self._sessions.redeem(request.query_params.get("token", ""))
        if person is None:
            return self._signed_out("This login link was used, or it is too old.")
        return self._api.signed_in(RedirectResponse("/", 303), person, secure=self._api.is_secure(request))

    async def shell(self, request: Request) -> Response:
        """The chat, or how to sign in."""
        try:
            self._api.person(request)
        except SignedOut:
            return self._signed_out("You are signed out.")
        return FileResponse(STATIC / "index.html", headers={"cache-control": "no-store"})

    async def document(self, request: Request) -> Response:
        """A document of the knowledge base; the part after `#` is the passage that stands out."""
        try:
            person = self._api.person(request)
        except SignedOut:
            return self._signed_out("You are signed out.")
        view = await self._sources.document(request.path_params["document"], person)
        if view is None:
            return self._page("Not found", "notice", NO_DOCUMENT, 404)
        return self._page(view.title, "document", _document(view))

    async def knowledge(self, request: Request) -> Response:
        """How knowledge stands, as far as this person may know."""
        try:
            person = self._api.person(request)
        except SignedOut:
            return self._signed_out("You are signed out.")
        return self._page("Knowledge", "knowledge", knowledge_page.body(await self._sources.knowledge(person)))

    async def workflow(self, request: Request) -> Response:
        """A workflow: its picture, its steps in words, what became of its runs."""
        try:
            person = self._api.person(request)
        except SignedOut:
            return self._signed_out("You are signed out.")
        view = await self._sources.workflow(request.path_params["name"], person)
        if view is None:
            return self._page("Not found", "notice", NO_WORKFLOW, 404)
        return self._page(view.name, "workflow", _workflow(view))

    async def picture(self, request: Request) -> Response:
        """A workflow's picture."""
        try:
            person = self._api.person(request)
        except SignedOut:
            return self._signed_out("You are signed out.")
        content = await self._sources.picture(request.path_params["name"], person)
        if content is None:
            return self._page("Not found", "notice", NO_WORKFLOW, 404)
        return Response(content, media_type="image/png", headers={"cache-control": "private, no-store"})

    async def file(self, request: Request) -> Response:
        """An upload, always as a download."""
        try:
            person = self._api.person(request)
        except SignedOut:
            return self._signed_out("You are signed out.")
        row = await self._readable_file(request.path_params["file"], person)
        if row is None or not self._files.path(row.id).is_file():
            return self._page("Not found", "notice", "<h1>This file is gone</h1>", 404)
        kind = row.media_type if row.media_type in PICTURES else "application/octet-stream"
        headers = {
            "content-disposition": disposition(row.name),
            "content-security-policy": "default-src 'none'; sandbox",
            "cache-control": "private, no-store",
        }
        return FileResponse(self._files.path(row.id), media_type=kind, headers=headers)

    async def nowhere(self, _request: Request) -> Response:
        """Any other address."""
        return self._page("Not found", "notice", NO_PAGE, 404)

    async def _readable_file(self, file_id: str, person: Person) -> web.WebFile | None:
        row = await self._store.read(lambda session: web.file(session, file_id))
        if row is None or row.message_id is None:
            return row if row and row.owner == person.id else None
        message = await self._store.read(lambda session: web.get(session, row.message_id or ""))
        return row if message and self._adapter.readable(person.id, message.channel) else None

    def _signed_out(self, what: str) -> Response:
        body = (
            "<img src='/static/mark.svg' alt='' width='56' height='56'>"
            f"<h1>{escape(self._settings.workspace)}</h1><p><strong>{escape(what)}</strong></p>"
            "<p>Bosun prints a login link when it starts: look in its terminal. Each link works once; "
            "<code>bosun login</code> prints another, also for other people.</p>"
            "<p><a class='button' href='/'>Try again</a></p>"
        )
        return self._page("Sign in", "notice", body, 401)

    def _page(self, title: str, kind: str, body: str, status: int = 200) -> Response:
        name = f"{title} · {self._settings.workspace}"
        return HTMLResponse(SHELL.format(title=escape(name), kind=kind, body=body), status_code=status)


def _workflow(view: WorkflowView) -> str:
    name = escape(view.name)
    return (
        f"<nav><a href='/home'>← Home</a></nav><header><h1>{name}</h1></header>"
        f"<img class='drawing' src='/workflows/{name}/picture.png' alt='{escape(view.alt)}'>"
        f"<section class='prose'><h2>In words</h2>{to_html(view.words)}</section>"
        f"<section class='prose'><h2>Runs so far</h2>{to_html(view.history)}</section>"
    )


def _document(view: DocumentView) -> str:
    updated = (
        f"<time datetime='{view.updated_at.isoformat()}'>{view.updated_at:%d %B %Y}</time>" if view.updated_at else ""
    )
    small = " · ".join(part for part in (escape(view.origin), updated) if part)
    sections = "".join(
        f"<section class='prose' id='{escape(section.anchor)}'>{to_html(section.markdown)}</section>"
        for section in view.sections
    )
    back = "<nav><a href='/'>← Chat</a></nav>"
    return f"{back}<header><h1>{escape(view.title)}</h1><p class='small'>{small}</p></header>{sections}"
