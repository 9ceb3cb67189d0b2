"""The collection that ships with the tests: questions about Bosun's documentation, the documents as they are now."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from kernel.config import ROOT

JUDGED = ROOT / "tests" / "knowledge" / "collection"


def write(folder: Path) -> Path:
    """Write it in BEIR's layout below `folder`; returns where it is."""
    made = folder / "bosun-docs"
    shutil.copytree(JUDGED, made)
    paths = [*sorted((ROOT / "docs").rglob("*.md")), *sorted((ROOT / "charter" / "knowledge").glob("*.md"))]
    with (made / "corpus.jsonl").open("w", encoding="utf-8") as file:
        for path in [ROOT / "README.md", *paths]:
            text = path.read_text("utf-8")
            title = next((line[2:] for line in text.splitlines() if line.startswith("# ")), path.stem)
            key = path.relative_to(ROOT).as_posix()
            file.write(json.dumps({"_id": key, "title": title, "text": text}) + "\n")
    return made
