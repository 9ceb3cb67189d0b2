"""Whatever happens, in whatever order: at most one execution, of exactly what was approved, by the people required."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.rules.approval_machine import ApprovalMachine
from tests.rules.batch_machine import BatchMachine

EXAMPLES = {"sqlite": 12, "postgres": 3}


@pytest.mark.parametrize("kind", [ApprovalMachine, BatchMachine])
@pytest.mark.parametrize("database", list(EXAMPLES))
def test_no_order_of_events_lets_a_call_through_twice_or_without_its_people(
    request: pytest.FixtureRequest, tmp_path: Path, database: str, kind: type[ApprovalMachine] | type[BatchMachine]
) -> None:
    class Machine(kind):  # type: ignore[misc,valid-type]  # one or the other
        url = request.getfixturevalue(f"{database}_with_tables")
        folder = tmp_path

    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=EXAMPLES[database],
            stateful_step_count=14,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
