"""Moments are plain where nothing is done with them, and every platform finds them again exactly."""

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from kernel.moments import rewritten, written

AT = datetime(2026, 3, 2, 9, 5, 7, tzinfo=UTC)


def test_a_moment_is_written_in_utc() -> None:
    assert written(AT.astimezone(timezone(timedelta(hours=9)))) == "02 Mar 2026 09:05 UTC"
    assert written(AT, seconds=True) == "02 Mar 2026 09:05:07 UTC"


@given(at=st.datetimes(min_value=datetime(1970, 1, 1)), before=st.text(), after=st.text())  # noqa: DTZ001  made aware below
def test_what_was_written_is_found_in_any_text(at: datetime, before: str, after: str) -> None:
    aware = at.replace(tzinfo=UTC, microsecond=0)
    text = f"{before} {written(aware, seconds=True)} {after}"
    assert rewritten(text, lambda _at, as_written: as_written) == text
    assert f" <{aware.isoformat()}> " in rewritten(text, lambda moment, _written: f"<{moment.isoformat()}>")


def test_no_other_text_is_taken_for_one() -> None:
    text = "31 Feb 2026 09:00 UTC, 2 Mar 2026 09:00 UTC, 02 Mar 2026 09:00 CET, A02 Mar 2026 09:00 UTC"
    assert rewritten(text, lambda _at, _written: "!") == text
