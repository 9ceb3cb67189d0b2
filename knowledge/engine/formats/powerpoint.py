"""PowerPoint: every slide a heading with its texts, tables and notes."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from knowledge.engine.formats.packed import check_package
from knowledge.engine.readable import NotReadable, Parsed, cell, table

if TYPE_CHECKING:
    from collections.abc import Iterator

SUFFIXES = (".pptx",)


def read(data: bytes) -> Parsed:
    """The text of all slides."""
    import pptx

    check_package(data, "a PowerPoint presentation", "ppt/presentation.xml")
    try:
        show = pptx.Presentation(io.BytesIO(data))
        slides = ["\n\n".join(_slide(number, slide)) for number, slide in enumerate(show.slides, 1)]
    except Exception as error:  # python-pptx raises whatever the broken part makes it
        raise NotReadable("It is damaged: its slides cannot be read.") from error
    return Parsed(text="\n\n".join(slides))


def _slide(number: int, slide: Any) -> Iterator[str]:
    title = slide.shapes.title
    name = " ".join(title.text_frame.text.split()) if title is not None and title.has_text_frame else ""
    yield f"# Slide {number}{f': {name}' if name else ''}"
    for shape in slide.shapes:
        if title is not None and shape.shape_id == title.shape_id:
            continue
        yield from _shape(shape)
    if slide.has_notes_slide and (notes := slide.notes_slide.notes_text_frame) is not None and notes.text.strip():
        yield f"Notes: {' '.join(notes.text.split())}"


def _shape(shape: Any) -> Iterator[str]:
    if getattr(shape, "has_table", False) and shape.has_table:
        yield table([[cell(each.text) for each in row.cells] for row in shape.table.rows])
    elif getattr(shape, "has_text_frame", False) and shape.has_text_frame:
        yield "\n".join(f"- {line}" for part in shape.text_frame.paragraphs if (line := " ".join(part.text.split())))
    elif hasattr(shape, "shapes"):
        for inner in shape.shapes:
            yield from _shape(inner)
