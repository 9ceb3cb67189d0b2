"""The rules on the command line: linted, explained, with file and line."""

import re
import shutil
from pathlib import Path

import pytest

from kernel.store import Store
from tests.cli.conftest import ROOT, Bosun


@pytest.fixture
def team_charter(tmp_path: Path) -> Path:
    """The starter charter, to be damaged."""
    return Path(shutil.copytree(ROOT / "charter", tmp_path / "charter"))


def test_rules_are_linted_with_file_and_line(bosun: Bosun, team_charter: Path) -> None:
    shown = bosun("rules", "lint", BOSUN_CHARTER=str(team_charter))
    assert shown.returncode == 0, shown.stderr
    assert "rules: 0 wrong" in shown.stdout
    path = team_charter / "rules" / "starter.yaml"
    never = "  - {id: never, why: No., tool: send_mail, workflow: digest, decision: allow}"
    path.write_text(path.read_text().replace("tests:", f"{never}\n\ntests:", 1))
    shown = bosun("rules", "lint", BOSUN_CHARTER=str(team_charter))
    assert shown.returncode == 1
    assert "never: it never decides: whatever fits it is decided by no-mail-unattended" in shown.stdout
    assert re.search(r"wrong rules/starter\.yaml:\d+: never", shown.stdout)


def test_a_call_is_explained_before_it_is_made(bosun: Bosun) -> None:
    shown = bosun("rules", "explain", "finance:", "queue_payment", "payee=typed", "amount=420", "reference=Invoice 7")
    assert shown.returncode == 0, shown.stderr
    assert "ask: A payment needs somebody from finance" in shown.stdout
    assert "large-payment (ask, rules/starter.yaml:29): does not hold: amount is 420, less than 1000" in shown.stdout
    shown = bosun("rules", "explain", "finance: queue_paymnt")
    assert shown.returncode == 2
    assert "did you mean 'queue_payment'" in shown.stderr


def test_rules_in_a_file_are_tried_on_the_calls_that_were_made(bosun: Bosun, store: Store, tmp_path: Path) -> None:
    file = tmp_path / "new.yaml"
    file.write_text("version: 1\nrules:\n  - {id: no, why: No., tool: queue_payment, decision: deny}\n")
    shown = bosun("rules", "backtest", str(file), "--days", "7")
    assert shown.returncode == 0, shown.stderr
    assert "0 calls of the last 7 days were decided again." in shown.stdout
    file.write_text("version: 1\nrules:\n  - {id: no, why: No., tool: queue_paymnt, decision: deny}\n")
    shown = bosun("rules", "backtest", str(file))
    assert shown.returncode == 2
    assert "new.yaml:3: unknown tool 'queue_paymnt' (did you mean 'queue_payment'?)" in shown.stderr
    assert "0 decisions" in bosun("rules", "replay").stdout
    assert "No rule that only logs" in bosun("rules", "log-only").stdout


def test_levels_of_autonomy_are_listed_and_a_rule_may_be_promoted(
    bosun: Bosun, store: Store, team_charter: Path
) -> None:
    path = team_charter / "rules" / "starter.yaml"
    promote = "promote: {to: allow, after: {approvals_in_a_row: 20}, for: {same: [payee]}, decided_by: admin}"
    path.write_text(path.read_text().replace("    otherwise: ask\n", f"    otherwise: ask\n    {promote}\n", 1))
    shown = bosun("autonomy", BOSUN_CHARTER=str(team_charter))
    assert shown.returncode == 0, shown.stderr
    assert "| `payment` | systematic | 0 of 20 approvals in a row |" in shown.stdout
    assert "| `large-payment` | manual | asked every time |" in shown.stdout
