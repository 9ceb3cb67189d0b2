"""The command line in the user's words: what it prints, what it exits with, what it leaves alone."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from kernel import ledger
from kernel.canonical import digest
from kernel.checkpoints import Signer
from kernel.clock import SystemClock
from kernel.store import Session, Store, approvals, feedback, freezes, runs
from kernel.store import workflows as rows
from tests.cli.conftest import ROOT, Bosun

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


def test_help_is_there_at_once_and_names_every_command(bosun: Bosun) -> None:
    shown = bosun("--help")
    assert shown.returncode == 0
    for command in (
        "up",
        "login",
        "init",
        "doctor",
        "ingest",
        "run",
        "workflows",
        "runs",
        "feedback",
        "approvals",
        "receipt",
        "freeze",
        "thaw",
        "tools",
        "tool",
        "rules",
        "ledger",
    ):
        assert f"\n  {command} " in shown.stdout


def test_help_needs_less_than_three_tenths_of_a_second_of_work() -> None:
    """Processor time, interpreter included: what a quiet machine needs of real time. The best of five."""
    command = [sys.executable, "-P", "-m", "bot", "--help"]
    environment = {"PATH": os.environ["PATH"]}
    best = 9.0
    for _ in range(5):
        before = os.times()
        subprocess.run(command, capture_output=True, cwd=ROOT, env=environment | {"PYTHONPATH": str(ROOT)}, check=True)
        after = os.times()
        spent = after.children_user + after.children_system - before.children_user - before.children_system
        best = min(best, spent)
    assert best < 0.3


def test_help_loads_no_vendor_library(bosun: Bosun) -> None:
    code = (
        "import sys\nfrom bot.engine.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit: pass\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr)"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    shown = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True, timeout=60
    )
    for library in ("pydantic", "sqlalchemy", "dbos", "rich", "chromadb", "anthropic", "slack_sdk", "starlette"):
        assert f"'{library}'" not in shown.stderr


COMMANDS = [
    "up",
    "init",
    "doctor",
    "ingest",
    "run",
    "workflows",
    "runs",
    "approvals",
    "receipt",
    "freeze",
    "thaw",
    "tools",
    "tool",
    "rules",
    "ledger",
]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(bosun: Bosun, command: str) -> None:
    shown = bosun(command, "--help")
    assert shown.returncode == 0
    assert f"Usage: bosun {command}" in shown.stdout
    assert len(shown.stdout.splitlines()) > 4


def test_a_typing_error_gets_a_suggestion(bosun: Bosun) -> None:
    shown = bosun("aprovals")
    assert shown.returncode == 2
    assert "Did you mean 'approvals'?" in shown.stderr


def test_an_error_has_no_traceback_and_says_what_to_do(bosun: Bosun) -> None:
    shown = bosun("runs")
    assert shown.returncode == 2
    assert "There is nothing in" in shown.stderr
    assert "bosun up" in shown.stderr
    shown = bosun("runs", BOSUN_LOG="loud")
    assert shown.returncode == 2
    assert "BOSUN_LOG is 'loud'. " not in shown.stderr
    assert "Expected one of: debug" in shown.stderr
    assert "Traceback" not in shown.stderr


def test_an_unexpected_error_is_one_line_and_a_file(bosun: Bosun, store: Store, data: Path) -> None:
    store.write_now(_add)
    with store.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE run SET created_at = 'the day before yesterday'")
    shown = bosun("runs")
    assert shown.returncode == 1
    assert "Traceback" not in shown.stderr
    assert str(data / "bosun-error.log") in shown.stderr
    assert "TypeError" in (data / "bosun-error.log").read_text()


NO_SERVER = "postgresql://ann:sesame@127.0.0.1:1/none"


@pytest.mark.parametrize("command", ["up", "runs", "ingest", "run digest"])
def test_a_database_that_is_away_is_said_to_be_and_where_to_look(bosun: Bosun, command: str) -> None:
    shown = bosun(*command.split(), DATABASE_URL=NO_SERVER)
    assert shown.returncode == 2, shown.stderr
    assert "The database cannot be opened: connection failed" in shown.stderr
    assert "Check DATABASE_URL" in shown.stderr
    assert "sesame" not in shown.stderr


def test_an_address_that_is_no_database_s_is_refused_without_being_repeated(bosun: Bosun) -> None:
    for address in ("sesame", "mysql://ann:sesame@host/name"):
        shown = bosun("runs", DATABASE_URL=address)
        assert shown.returncode == 2
        assert "Bosun runs on sqlite:///... or postgresql://" in shown.stderr
        assert "sesame" not in shown.stderr


def test_a_file_that_is_no_database_is_said_to_be_none(bosun: Bosun, data: Path) -> None:
    (data / "bosun.sqlite3").write_text("this is not a database" * 100)
    shown = bosun("runs")
    assert shown.returncode == 2
    assert "file is not a database" in shown.stderr
    assert "bosun.sqlite3" in shown.stderr


def test_a_data_folder_that_cannot_be_made_is_named(bosun: Bosun, data: Path) -> None:
    (data / "file").touch()
    for settings in ({}, {"DATABASE_URL": NO_SERVER}):
        shown = bosun("up", BOSUN_DATA=str(data / "file" / "below"), **settings)
        assert shown.returncode == 2
        assert "cannot be made: Not a directory" in shown.stderr
        assert "Set BOSUN_DATA" in shown.stderr


def test_init_writes_a_charter_that_is_valid_and_never_overwrites(bosun: Bosun, tmp_path: Path) -> None:
    folder = tmp_path / "team"
    assert bosun("init", str(folder)).returncode == 0
    (folder / "people.yaml").write_text("ours: true\n")
    (folder / "bosun.yaml").unlink()
    again = bosun("init", str(folder))
    assert "1 files written" in again.stdout
    assert (folder / "people.yaml").read_text() == "ours: true\n"
    assert (folder / "bosun.yaml").exists()
    shown = bosun("doctor", BOSUN_CHARTER=str(folder))
    assert shown.returncode == 1
    assert "people.yaml:1: unknown word 'ours'" in shown.stdout


def test_doctor_is_content_with_a_fresh_installation(bosun: Bosun, data: Path) -> None:
    shown = bosun("doctor")
    assert shown.returncode == 0, shown.stdout
    for part in ("Data folder", "Database: SQLite", "Charter of Acme", "No language model", "Embedding model", "Slack"):
        assert part in shown.stdout
    assert list(data.iterdir()) == []  # it changes nothing


def test_doctor_asks_the_language_model_and_the_vector_server_whether_they_are_there(bosun: Bosun) -> None:
    nobody = "http://127.0.0.1:1"
    slack = {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1", "SLACK_API_URL": f"{nobody}/api/"}
    away = bosun("doctor", ANTHROPIC_API_KEY="sk-fake", ANTHROPIC_BASE_URL=nobody, CHROMA_URL=nobody, **slack)
    assert away.returncode == 1
    assert "ERROR The model service cannot be reached." in away.stdout
    assert "opens on this machine alone" in away.stdout  # what messages in Slack link to
    assert "ERROR Chroma at http://127.0.0.1:1 cannot be reached" in away.stdout


def test_runs_and_approvals_are_listed(bosun: Bosun, store: Store) -> None:
    store.write_now(_add)
    shown = bosun("runs")
    assert shown.stdout.split("\t")[0] == "R-7F3K"
    assert "Pay ACME please" in shown.stdout
    assert bosun("runs", "--state", "failed").stdout == ""
    waiting = bosun("approvals")
    line = waiting.stdout.rstrip("\n").split("\t")
    assert line[:4] == ["AP-7F3K", "Queue EUR 420 for ACME", "2 of finance", "ann"]


def test_what_people_said_of_answers_is_listed_and_nothing_of_private_conversations(bosun: Bosun, store: Store) -> None:
    def write(session: Session) -> None:
        _add(session)
        run = runs.by_ref(session, "R-7F3K")
        assert run is not None
        now = SystemClock().now()
        private = {"platform": "web", "tenant": "local", "channel": "dm-ann", "kind": "dm"}
        for ref, place in (("R-OPEN", run.place), ("R-DEEP", private)):
            session.add(runs.Run(**{**run.model_dump(), "id": ref, "ref": ref, "place": place}))
            reason = f"because of {ref}"
            session.add(feedback.Feedback(run_id=ref, person="ann", helpful=False, reason=reason, at=now))
        session.add(feedback.Feedback(run_id="R-OPEN", person="bo", helpful=True, at=now))

    store.write_now(write)
    lines = [line.split("\t") for line in bosun("feedback", "--bad").stdout.splitlines()]
    told = {line[0]: line[2:] for line in lines}
    assert told["R-OPEN"] == ["ops", "did not help", "#general", "Pay ACME please", "because of R-OPEN"]
    assert told["R-DEEP"] == ["ops", "did not help", "private", "", ""]
    assert len(bosun("feedback").stdout.splitlines()) == 3


def test_tools_are_listed_with_the_rules_that_decide(bosun: Bosun) -> None:
    lines = [line.split("\t") for line in bosun("tools").stdout.splitlines()]
    assert ["finance", "list_payments", "read", "alone (no rule)"] in lines
    assert {line[0] for line in lines} == {"lead", "finance", "ops", "research", "writer"}
    (paying,) = [line for line in lines if line[:2] == ["finance", "queue_payment"]]
    alone = "never: no-payment-unattended; asks: large-payment, personal-data-stays; alone: small-known-payment"
    assert paying[2:] == ["spend", f"{alone}; else asks: payment"]
    assert ["lead", "change_rules", "write", "never: no-rules-unattended; asks: rule-changes"] in lines  # never alone
    assert {line.split("\t")[0] for line in bosun("tools", "ops").stdout.splitlines()} == {"ops"}
    unknown = bosun("tools", "opps")
    assert unknown.returncode == 2
    assert "There is no agent 'opps'. Agents: finance, lead" in unknown.stderr.replace("\n", " ")


def test_a_tool_call_that_cannot_be_read_says_so_before_anything_starts(bosun: Bosun, data: Path) -> None:
    assert "'acme' is no argument: write KEY=VALUE." in bosun("tool", "call", "queue_payment", "acme").stderr
    assert "There is no person 'nobody'" in bosun("tool", "call", "list_files", "--as", "nobody").stderr
    assert list(data.iterdir()) == []


def test_the_ledger_is_verified(bosun: Bosun, store: Store) -> None:
    for number in range(3):
        store.write_now(lambda session, number=number: ledger.append(session, NOW, "test", f"s{number}", {}))  # type: ignore[misc]  # a default
    shown = bosun("ledger", "verify")
    assert shown.returncode == 0
    assert shown.stdout.startswith("3 entries")
    with store.engine.begin() as connection:
        connection.execute(text("UPDATE ledger SET subject = 'x' WHERE number = 2"))
    shown = bosun("ledger", "verify")
    assert shown.returncode == 1
    assert "entry 2 was changed" in shown.stderr


def test_a_pipe_that_is_closed_is_no_error(bosun: Bosun, store: Store, data: Path) -> None:
    environment = os.environ | {"BOSUN_DATA": str(data), "PYTHONPATH": str(ROOT)}
    store.write_now(_add)
    command = [sys.executable, "-P", "-m", "bot", "runs"]
    reading, writing = os.pipe()
    os.close(reading)
    shown = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, env=environment, timeout=60, check=False)
    os.close(writing)
    assert shown.stderr == b""


def _add(session: Session) -> None:
    place = {"platform": "web", "tenant": "local", "channel": "general"}
    session.add(
        runs.Run(
            id="r1",
            ref="R-7F3K",
            agent="ops",
            requester="ann",
            place=place,
            request="Pay ACME\nplease",
            state=runs.WAITING,
            created_at=NOW,
            updated_at=NOW,
        )
    )
    session.add(
        approvals.Approval(
            id="a1",
            ref="AP-7F3K",
            call_id="c1",
            run_id="r1",
            agent="ops",
            tool="queue_payment",
            requester="ann",
            arguments={},
            digest="",
            origins={},
            preview={"headline": "Queue EUR 420 for ACME"},
            policy={"groups": [{"who": ["finance"], "need": 2}]},
            rules=[],
            reason="",
            created_at=NOW,
            expires_at=NOW + timedelta(hours=4),
        )
    )


def test_workflows_are_seen_and_held_from_the_machine_itself(bosun: Bosun, store: Store) -> None:
    assert "| `digest` |" in bosun("workflows").stdout
    assert "Paused **digest**" in bosun("workflows", "pause", "digest").stdout
    assert "| paused | never |" in bosun("workflows").stdout
    assert "Nothing was done." in bosun("workflows", "dry-run", "digest").stdout
    refused = bosun("workflows", "show", "digets")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "There is no workflow 'digets'" in refused.stderr
    assert list(store.read_now(lambda session: rows.paused(session, NOW))) == ["digest"]


def test_freeze_and_thaw_on_the_command_line(bosun: Bosun, store: Store) -> None:
    assert bosun("freeze", "agent", "ops", "--because", "odd mails").stdout == "Frozen: the agent ops.\n"
    assert "already" in bosun("freeze", "agent", "ops").stdout
    assert [one.reason for one in store.read_now(freezes.in_force)] == ["odd mails"]
    missing = bosun("freeze", "agent", "opz")
    assert missing.returncode == 2
    assert "Did you mean ops?" in missing.stderr
    assert bosun("thaw").returncode == 1
    assert bosun("thaw", "agent", "ops").stdout == "Thawed: the agent ops. Runs that go on: 0.\n"
    assert store.read_now(ledger.verify).entries == 2


def test_a_receipt_and_the_ledger_as_json(bosun: Bosun, store: Store) -> None:
    run = runs.Run(
        id="1",
        ref="R-7F3K",
        agent="finance",
        requester="ann",
        place={"platform": "web", "tenant": "local", "channel": "general"},
        request="Pay ACME",
        state=runs.DONE,
        created_at=NOW,
        updated_at=NOW,
    )
    entry = {"request": digest("Pay ACME"), "model_calls": 0}

    def write(session: Session) -> None:
        session.add(run)
        ledger.append(session, NOW, "run.done", "1", entry)

    store.write_now(write)
    shown = bosun("receipt", "r-7f3k")
    assert shown.returncode == 0, shown.stderr
    assert "Ann asked finance: Pay ACME" in shown.stdout
    found = json.loads(bosun("receipt", "R-7F3K", "--json").stdout)
    assert found["receipt"]["lines"][0]["entry"] == 1
    assert found["ledger"]["entries"] == 1
    [line] = bosun("ledger", "export").stdout.splitlines()
    exported = json.loads(line)
    hashed = {name: value for name, value in exported.items() if name != "hash"}
    assert digest(hashed) == exported["hash"]
    assert bosun("receipt", "R-NONE").returncode == 2
    store.write_now(lambda session: session.connection().exec_driver_sql("UPDATE run SET request = 'Pay EVE'"))
    changed = bosun("receipt", "R-7F3K")
    assert changed.returncode == 1
    assert "NOT BORNE: the request in the database is another one" in changed.stdout


def test_a_checkpoint_from_the_channel_is_checked_on_the_command_line(bosun: Bosun, store: Store) -> None:
    store.write_now(lambda session: ledger.append(session, NOW, "call.done", "c", {}))
    head = store.read_now(ledger.verify).head
    good = Signer(bytes(32)).sign(entries=1, head=head, at=NOW)
    other = Signer(bytes(32)).sign(entries=2, head=head, at=NOW)
    shown = bosun("ledger", "verify", "--checkpoint", str(good), "--key", good.key)
    assert shown.returncode == 0
    assert "1 given" in shown.stdout
    cut = bosun("ledger", "verify", "--checkpoint", str(other))
    assert cut.returncode == 1
    assert "there were 2" in cut.stderr
    assert bosun("ledger", "verify", "--checkpoint", "x").returncode == 2
    assert bosun("ledger", "verify", "--checkpoint", str(good), "--key", "00").returncode == 2
