"""PDF, page by page."""

from __future__ import annotations

from knowledge.engine.readable import NotReadable, Parsed

SUFFIXES = (".pdf",)
MAX_PAGES = 2_000
PASSWORD = 4  # FPDF_ERR_PASSWORD


def read(data: bytes) -> Parsed:
    """The text of all pages. NotReadable for one that is encrypted, broken or has no text."""
    import pypdfium2

    if b"%PDF-" not in data[:1024]:
        raise NotReadable("It is not a PDF, whatever its name says.", hint=_looks_like(data))
    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        if getattr(error, "err_code", 0) == PASSWORD or "password" in str(error).lower():
            raise NotReadable("It is protected by a password.", hint="Save it without one.") from error
        raise NotReadable("It is damaged: no PDF reader could open it.") from error
    if len(document) > MAX_PAGES:
        raise NotReadable(f"It has more than {MAX_PAGES:,} pages.", hint="Split it into several documents.")
    pages = []
    for page in document:
        text = page.get_textpage()
        pages.append(text.get_text_bounded().replace("\r\n", "\n").replace("\f", "\n").strip())
    if not any(pages):
        raise NotReadable("There is no text in it, only pictures.", hint="Recognise the text of the scan first.")
    title = " ".join((document.get_metadata_value("Title") or "").split())
    return Parsed(text="\f".join(pages), format="pages", title=title[:200])


def _looks_like(data: bytes) -> str:
    start = data[:512].lstrip().lower()
    if start.startswith((b"<!doctype html", b"<html")):
        return "It is a web page: probably the login page of the site that it was downloaded from."
    return ""
