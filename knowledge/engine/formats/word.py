"""Word documents, through mammoth: headings, lists and tables."""

from __future__ import annotations

import io

from knowledge.engine.formats.packed import check_package
from knowledge.engine.html_text import html_to_markdown
from knowledge.engine.readable import NotReadable, Parsed

SUFFIXES = (".docx",)


def read(data: bytes) -> Parsed:
    """The text of a document."""
    import mammoth

    check_package(data, "a Word document", "word/document.xml")
    try:
        html = mammoth.convert_to_html(
            io.BytesIO(data), convert_image=mammoth.images.img_element(lambda _image: {})
        ).value
    except (KeyError, ValueError, IndexError, AttributeError) as error:
        raise NotReadable("It is damaged: its parts do not fit together.") from error
    return Parsed(text=html_to_markdown(f"<body>{html}</body>").markdown)
