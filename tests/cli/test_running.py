"""Commands beside a running Bosun, and where none is running: real processes on one data folder."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.cli.conftest import ROOT, Bosun


class Running:
    """`bosun up` as a process."""

    def __init__(self, data: Path) -> None:
        parts = [os.environ.get("PYTHONPATH", ""), str(ROOT)]
        environment = os.environ | {
            "BOSUN_DATA": str(data),
            "BOSUN_WEB": "127.0.0.1:0",
            "PYTHONPATH": os.pathsep.join(filter(None, parts)),
        }
        self.errors = (data / "stderr.txt").open("w+")
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "bot", "up"],
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
            env=environment,
        )
        self.link = self._link()

    def _link(self) -> str:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if found := re.search(r"http://\S+", line):
                return found[0]
        raise AssertionError(f"bosun up ended:\n{self.said()}")

    def said(self) -> str:
        """What it wrote to standard error."""
        self.errors.seek(0)
        return self.errors.read()

    def stop(self) -> int:
        """SIGTERM; returns the exit code."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(30)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code


@pytest.fixture
def running(data: Path) -> Iterator[Running]:
    up = Running(data)
    yield up
    if up.process.poll() is None:
        up.stop()
    up.errors.close()


def test_commands_beside_a_running_bosun(bosun: Bosun, running: Running) -> None:
    with httpx.Client(follow_redirects=True) as browser:
        assert browser.get(running.link).status_code == 200
    shown = bosun("run", "digest")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert shown.stdout.startswith("Nothing to report in #general")
    refused = bosun("run", "digets").stderr
    assert refused.startswith(
        "Error: There is no workflow 'digets'. Workflows: access-and-cost, decisions, digest, incident"
    )
    assert [line.split("\t")[2] for line in bosun("runs").stdout.splitlines()] == ["done"]
    assert bosun("ledger", "verify").returncode == 0
    asked = bosun("tool", "call", "list_files", "folder=.", "--as", "ann")
    assert (asked.returncode, asked.stdout.split(":")[0]) == (0, "`list_files`")
    failed = bosun("tool", "call", "list_files", "folder=nowhere", "--as", "ann")
    assert (failed.returncode, failed.stdout) == (1, "")
    assert failed.stderr.startswith("`list_files` did not work: ")
    assert bosun("login", "nobody").stderr.startswith("Error: “nobody” is not exactly one person of people.yaml.")
    link = bosun("login", "Bo").stdout.strip()
    assert link.startswith("http://127.0.0.1:8300/login?token=")
    with httpx.Client(base_url=running.link.partition("/login")[0], follow_redirects=True) as browser:
        path = link.partition(":8300")[2]
        assert browser.get(path).status_code == 200
        assert browser.get("/api/boot").json()["me"]["id"] == "bo"
        assert "was used" in browser.get(path).text
    second = bosun("up")
    assert second.returncode == 2
    assert "Another Bosun process is using" in second.stderr
    assert running.stop() == 0
    assert "Traceback" not in running.said()


def test_a_workflow_runs_where_no_bosun_is_running(bosun: Bosun) -> None:
    shown = bosun("run", "digest")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert shown.stdout.startswith("Nothing to report in #general")


def test_a_tool_call_goes_through_the_door_where_no_bosun_is_running(bosun: Bosun, data: Path) -> None:
    shown = bosun("tool", "call", "--agent", "finance", "queue_payment", "payee=ACME", "amount=420", "currency=EUR",
                  "reference=Invoice 1881", "why=Paper", "--as", "ann")  # fmt: skip
    assert shown.returncode == 3
    assert "waits for a decision" in shown.stderr
    assert "Queue a payment of 420.00 EUR to ACME" in bosun("approvals").stdout
