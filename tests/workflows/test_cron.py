"""When a cron expression fires, on ordinary days and on the two odd days of the year."""

import itertools
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from workflows.engine.cron import CronError, parse

ZURICH = ZoneInfo("Europe/Zurich")


def local_fires(text: str, start: datetime, days: float, zone: str = "Europe/Zurich") -> list[str]:
    cron = parse(text, zone)
    fires = cron.fires(start - timedelta(seconds=1), start + timedelta(days=days) - timedelta(seconds=1))
    return [f"{fire.at.astimezone(ZoneInfo(zone)):%a %d %H:%M}" for fire in fires]


def keys(text: str, start: datetime, days: float, zone: str = "Europe/Zurich") -> list[str]:
    cron = parse(text, zone)
    fires = cron.fires(start - timedelta(seconds=1), start + timedelta(days=days) - timedelta(seconds=1))
    return [fire.key for fire in fires]


MONDAY = datetime(2026, 3, 2, tzinfo=ZURICH)
SPRING = datetime(2026, 3, 29, tzinfo=ZURICH)  # 02:00 becomes 03:00
AUTUMN = datetime(2026, 10, 25, tzinfo=ZURICH)  # 03:00 becomes 02:00


def test_weekdays_at_nine() -> None:
    fires = local_fires("0 9 * * mon-fri", MONDAY, 7)
    assert fires == ["Mon 02 09:00", "Tue 03 09:00", "Wed 04 09:00", "Thu 05 09:00", "Fri 06 09:00"]
    assert local_fires("0 9 * * 1-5", MONDAY, 7) == fires


@pytest.mark.parametrize("sunday", ["0", "7", "sun", "SUN"])
def test_sunday_is_zero_and_seven_as_in_crontab(sunday: str) -> None:
    assert local_fires(f"0 9 * * {sunday}", MONDAY, 7) == ["Sun 08 09:00"]


def test_day_of_month_and_weekday_are_alternatives_as_in_crontab() -> None:
    assert local_fires("0 9 4 * fri", MONDAY, 7) == ["Wed 04 09:00", "Fri 06 09:00"]
    assert local_fires("0 9 4 * *", MONDAY, 7) == ["Wed 04 09:00"]


def test_lists_ranges_and_steps() -> None:
    assert local_fires("*/20,59 8-10/2 2 mar *", MONDAY, 1) == [
        f"Mon 02 {hour}:{minute}" for hour in ("08", "10") for minute in ("00", "20", "40", "59")
    ]


def test_an_hour_that_is_left_out_in_spring_is_made_up_for_once() -> None:
    assert local_fires("30 2 * * *", SPRING, 1) == ["Sun 29 03:30"]
    assert keys("30 2 * * *", SPRING, 1) == ["2026-03-29T02:30"]
    assert local_fires("30 2,3 * * *", SPRING, 1) == ["Sun 29 03:30"]


def test_an_hour_that_occurs_twice_in_autumn_fires_once() -> None:
    cron = parse("30 2 * * *", "Europe/Zurich")
    start = AUTUMN.astimezone(UTC)
    fires = list(cron.fires(start, start + timedelta(hours=25)))
    assert [fire.at for fire in fires] == [datetime(2026, 10, 25, 0, 30, tzinfo=UTC)]
    assert fires[0].key == "2026-10-25T02:30"


@pytest.mark.parametrize(("day", "hours"), [(SPRING, 23), (AUTUMN, 25), (MONDAY, 24)])
def test_every_hour_means_every_real_hour(day: datetime, hours: int) -> None:
    start = day.astimezone(UTC) - timedelta(seconds=1)
    fires = list(parse("0 * * * *", "Europe/Zurich").fires(start, start + timedelta(hours=hours)))
    assert len(fires) == hours
    assert len({fire.key for fire in fires}) == hours
    gaps = {later.at - earlier.at for earlier, later in itertools.pairwise(fires)}
    assert gaps == {timedelta(hours=1)}


def test_midnight_in_a_zone_that_changes_at_midnight() -> None:
    start = datetime(2018, 11, 3, 12, tzinfo=ZoneInfo("America/Sao_Paulo"))  # no midnight on 4 November 2018
    assert local_fires("0 0 * * *", start, 2, "America/Sao_Paulo") == ["Sun 04 01:00", "Mon 05 00:00"]


def test_half_hour_zones_and_leap_days() -> None:
    fire = parse("0 9 29 2 *", "Asia/Kathmandu").next_after(datetime(2026, 1, 1, tzinfo=UTC))
    assert fire is not None
    assert fire.at == datetime(2028, 2, 29, 3, 15, tzinfo=UTC)


def test_the_window_is_open_at_its_start_and_closed_at_its_end() -> None:
    cron = parse("0 9 * * *", "UTC")
    nine = datetime(2026, 3, 2, 9, tzinfo=UTC)
    assert [fire.at for fire in cron.fires(nine - timedelta(days=1), nine)] == [nine]
    assert list(cron.fires(nine, nine + timedelta(hours=1))) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0 9 * *", "4 fields"),
        ("60 9 * * *", "minute '60': expected a number from 0 to 59"),
        ("0 9 * * monday", "weekday 'monday': expected a number from 0 to 7 or a name such as sun"),
        ("0 9 * * fri-mon", "runs backwards"),
        ("0 9 * * */0", "above 0"),
        ("5/10 9 * * *", "a step needs a range"),
        ("0 9 30 2 *", "never fires"),
        ("0 9 , * *", "expected a number"),
        ("0 -1 * * *", "expected a number"),
    ],
)
def test_what_is_wrong_is_said(text: str, message: str) -> None:
    with pytest.raises(CronError, match=message):
        parse(text, "UTC")
