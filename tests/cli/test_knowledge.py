"""`bosun ingest` and `bosun knowledge`, as an operator uses them."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import ROOT, Bosun


@pytest.fixture
def charter(tmp_path: Path) -> Path:
    """The starter charter with three documents, one of them for finance and one broken."""
    made = tmp_path / "charter"
    shutil.copytree(ROOT / "charter", made)
    for path in (made / "knowledge").glob("*.md"):
        if path.stem not in {"refunds", "payment-runs"}:
            path.unlink()
    (made / "knowledge" / "contract.pdf").write_bytes(b"no PDF")
    (made / "knowledge" / "sources.yaml").write_text(
        'embeddings: {provider: words}\nsources:\n  - {name: talk, kind: chat, channels: ["#general"]}\n'
    )
    return made


@pytest.mark.timeout(300)  # it starts the process with the vectors nine times
def test_an_operator_reads_searches_rebuilds_and_forgets(bosun: Bosun, charter: Path) -> None:
    there = {"BOSUN_CHARTER": str(charter)}
    read = bosun("ingest", **there)
    assert read.returncode == 1
    assert "folder:charter: 2 added, 0 changed, 0 unchanged, 0 removed, 1 not read." in read.stdout
    assert "Not read: contract.pdf: It is not a PDF, whatever its name says." in read.stderr
    assert "Left to a running Bosun, which knows the channels and servers: chat:talk." in read.stdout
    assert re.search(r"2 documents, (\d+) of \1 passages indexed", read.stdout)

    shown = bosun("knowledge", "status", **there)
    assert shown.returncode == 1
    assert shown.stdout.startswith("folder:charter\t2\tready, 1 not read\t")
    assert "contract.pdf" in shown.stderr

    asked = ("knowledge", "search", "which", "day", "do", "payment", "runs", "leave")
    assert "payment-runs.md" not in bosun(*asked, **there).stdout
    assert "payment-runs.md" in bosun(*asked, "--as", "bo", **there).stdout
    assert "payment-runs.md" not in bosun(*asked, "--as", "ann", **there).stdout
    assert "payment-runs.md" in bosun(*asked, "--channel", "finance", **there).stdout
    assert bosun(*asked, "--as", "nobody", **there).returncode == 2

    assert "Rebuilt: " in bosun("knowledge", "rebuild", **there).stdout
    gone = bosun("knowledge", "forget", "--yes", "folder:charter", **there)
    assert "Forgotten: 2 documents of folder:charter." in gone.stdout
    assert "refunds.md" not in bosun("knowledge", "search", "refunds", **there).stdout
    assert bosun("knowledge", "forget", "--yes", "M-7F3K", **there).returncode == 2


def test_only_one_source_is_read_where_that_is_asked(bosun: Bosun, charter: Path) -> None:
    there = {"BOSUN_CHARTER": str(charter)}
    missing = bosun("ingest", "nothing", **there)
    assert missing.returncode == 2
    assert "There is no source nothing." in missing.stderr
    (charter / "knowledge" / "contract.pdf").unlink()
    assert bosun("ingest", "charter", **there).returncode == 0
