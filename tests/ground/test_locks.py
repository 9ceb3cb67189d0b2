"""The lock files: complete, hashed, tied to no address; what is pinned twice is pinned alike."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LOCKS = ["requirements.lock", "requirements-dev.lock", "requirements-model.lock"]


def pins(lock: str) -> set[str]:
    """`name==version ; marker` of every package."""
    return set(re.findall(r"^([\w.-]+(?:\[.+\])?==\S+(?: ; .*?)?) \\$", (ROOT / lock).read_text(), re.MULTILINE))


def locked_versions(name: str) -> set[str]:
    return {str(found.specifier)[2:] for found in map(Requirement, pins("requirements.lock")) if found.name == name}


@pytest.mark.parametrize("lock", LOCKS)
def test_every_package_is_pinned_with_hashes_and_without_addresses(lock: str) -> None:
    text = (ROOT / lock).read_text()
    entries = re.split(r"\n(?=[a-z])", text[re.search(r"^[a-z]", text, re.MULTILINE).start() :])  # type: ignore[union-attr]  # a lock has entries
    assert len(entries) == len(pins(lock))
    assert all("--hash=sha256:" in entry for entry in entries)
    assert "://" not in text
    assert "index-url" not in text


def test_tools_run_beside_the_very_packages_that_bosun_runs_on() -> None:
    assert pins("requirements.lock") <= pins("requirements-dev.lock")


def test_every_declared_package_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    for lock, declared in [
        ("requirements.lock", project["project"]["dependencies"]),
        ("requirements-dev.lock", project["dependency-groups"]["dev"]),
    ]:
        locked = {canonicalize_name(Requirement(pin).name) for pin in pins(lock)}
        assert {canonicalize_name(Requirement(one).name) for one in declared} <= locked


def test_torch_stays_out() -> None:
    assert not {"torch", "sentence-transformers"} & {Requirement(pin).name for lock in LOCKS for pin in pins(lock)}


def test_compose_runs_the_chroma_server_of_the_client() -> None:
    image = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]["chroma"]["image"]
    assert {image.partition(":")[2]} == locked_versions("chromadb")


def test_make_lists_its_targets() -> None:
    listed = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert re.findall(r"^make ([\w-]+)", listed, re.MULTILINE) == [
        "help", "up", "test", "check", "conformance", "bench", "bench-chat", "bench-retrieval", "bench-scale",
        "bench-agentdojo", "bench-retail", "lock", "clean",
    ]  # fmt: skip
