"""Working days: what was announced is known by heart, what was not is said to be provisional."""

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common import calendar
from libs.common.calendar import Calendar, Deadline, NamedDay
from libs.common.policy import PolicyError, read_table

DAY = timedelta(days=1)
HEADER = "date,kind,name_zh,source,confidence\n"
NEW_YEAR = "2026-01-01,holiday,元旦,notice,verified\n"

some_day = st.dates(date(2017, 1, 1), date(2029, 12, 31))
announced_day = st.dates(date(2018, 1, 1), date(2026, 6, 30))
some_days = st.integers(1, 120)


@dataclass(frozen=True)
class Walker:
    """Who crosses out the days on a wall calendar, one after the other."""

    off: frozenset[date]
    made_up: frozenset[date]

    def works(self, day: date) -> bool:
        if day in self.off:
            return False
        return day in self.made_up or day.isoweekday() <= 5

    def after(self, start: date, days: int) -> date:
        crossed_out, day = [], start
        while len(crossed_out) < days:
            day = date.fromordinal(day.toordinal() + 1)
            if self.works(day):
                crossed_out.append(day)
        return crossed_out[-1]


@pytest.fixture(scope="module")
def walker() -> Walker:
    table = read_table(calendar.FILE, NamedDay)
    return Walker(
        frozenset(row.date for row in table if row.kind == "holiday"),
        frozenset(row.date for row in table if row.kind == "working_weekend"),
    )


def written(folder: Path, rows: str) -> Path:
    path = folder / "days.csv"
    path.write_text(HEADER + rows, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("start", "days", "on"),
    [
        (date(2026, 1, 5), 5, date(2026, 1, 12)),  # a plain week
        (date(2026, 2, 13), 1, date(2026, 2, 14)),  # a Saturday, worked for Spring Festival
        (date(2026, 2, 13), 2, date(2026, 2, 24)),  # nine days off
        (date(2026, 2, 14), 5, date(2026, 2, 28)),  # the Saturday at its other end
        (date(2026, 9, 18), 1, date(2026, 9, 20)),  # a Sunday, worked for National Day
        (date(2026, 9, 30), 1, date(2026, 10, 8)),  # National Day
        (date(2026, 9, 30), 3, date(2026, 10, 10)),  # and the Saturday that makes up for it
        (date(2026, 4, 30), 3, date(2026, 5, 8)),  # Labour Day
        (date(2020, 1, 23), 1, date(2020, 2, 3)),  # Spring Festival, lengthened by the epidemic
        (date(2018, 12, 28), 1, date(2018, 12, 29)),  # the last Saturday of a year, worked for the next New Year
    ],
)
def test_deadlines_around_the_holidays(start: date, days: int, on: date) -> None:
    assert calendar.add_working_days(start, days) == Deadline(on, provisional=False)


def test_make_up_days_are_worked_and_holidays_in_the_week_are_not() -> None:
    year = [date(2026, 1, 1) + n * DAY for n in range(365)]
    weekends_worked = [day for day in year if day.weekday() >= 5 and calendar.is_working_day(day)]
    weekdays_off = [day for day in year if day.weekday() < 5 and not calendar.is_working_day(day)]

    assert [f"{day:%m-%d}" for day in weekends_worked] == ["01-04", "02-14", "02-28", "05-09", "09-20", "10-10"]
    assert len(weekdays_off) == 19
    assert calendar.working_days_between(date(2025, 12, 31), date(2026, 12, 31)) == 248


def test_beyond_the_last_announced_year_only_weekends_are_known_and_the_answer_says_so() -> None:
    assert calendar.add_working_days(date(2026, 12, 30), 1) == Deadline(date(2026, 12, 31), provisional=False)
    assert calendar.add_working_days(date(2026, 12, 30), 2) == Deadline(date(2027, 1, 1), provisional=True)
    assert calendar.add_working_days(date(2027, 2, 1), 10) == Deadline(date(2027, 2, 15), provisional=True)
    assert calendar.add_working_days(date(2017, 12, 20), 20).provisional, "nor is it before the first"


def test_a_deadline_of_no_days_is_none() -> None:
    for days in (0, -1):
        with pytest.raises(ValueError, match="count from 1"):
            calendar.add_working_days(date(2026, 1, 5), days)


@given(some_day, some_days)
def test_it_agrees_with_who_crosses_out_day_after_day(walker: Walker, start: date, days: int) -> None:
    assert calendar.add_working_days(start, days).on == walker.after(start, days)


@given(some_day, some_days)
def test_a_deadline_is_a_working_day_and_as_many_days_away_as_it_says(start: date, days: int) -> None:
    on = calendar.add_working_days(start, days).on
    assert calendar.is_working_day(on)
    assert calendar.working_days_between(start, on) == days
    assert calendar.working_days_between(start, on - DAY) == days - 1


@given(some_day, some_days, some_days)
def test_two_terms_one_after_the_other_are_one_term(start: date, first: int, second: int) -> None:
    halfway = calendar.add_working_days(start, first).on
    assert calendar.add_working_days(halfway, second).on == calendar.add_working_days(start, first + second).on


@given(some_day, some_day, some_days)
def test_who_starts_later_or_has_more_days_never_ends_earlier(one: date, other: date, days: int) -> None:
    early, late = sorted((one, other))
    assert calendar.add_working_days(early, days).on <= calendar.add_working_days(late, days).on
    assert calendar.add_working_days(early, days).on < calendar.add_working_days(early, days + 1).on


@given(some_day, some_day, some_day)
def test_counts_of_neighbouring_periods_add_up(a: date, b: date, c: date) -> None:
    first, middle, last = sorted((a, b, c))
    count = calendar.working_days_between
    assert count(first, middle) + count(middle, last) == count(first, last)
    assert count(last, first) == 0


@given(announced_day, some_days)
def test_within_the_announced_years_nothing_is_provisional(start: date, days: int) -> None:
    deadline = calendar.add_working_days(start, days)
    assert deadline.provisional == (deadline.on.year > 2026)


def test_announcing_a_year_makes_its_deadlines_firm(tmp_path: Path) -> None:
    rows = calendar.FILE.read_text(encoding="utf-8").split("\n", 1)[1]
    announced = "".join(f"2027-01-0{n},holiday,元旦,a notice,verified\n" for n in (1, 2, 3))
    later: Calendar = calendar.load(written(tmp_path, rows + announced))

    assert calendar.add_working_days(date(2026, 12, 30), 2) == Deadline(date(2027, 1, 1), provisional=True)
    assert later.add_working_days(date(2026, 12, 30), 2) == Deadline(date(2027, 1, 4), provisional=False)
    assert later.digest != calendar.current().digest


@pytest.mark.parametrize(
    ("rows", "line", "reason"),
    [
        ("", 1, "names no day"),
        (NEW_YEAR + "2026-02-30,holiday,x,notice,verified\n", 3, "date: '2026-02-30' is not a date"),
        (NEW_YEAR + "2026-05-01,vacation,x,notice,verified\n", 3, "kind: 'vacation' is none of holiday"),
        (NEW_YEAR + "2026-05-01,holiday,x,,verified\n", 3, "source: '' is empty"),
        (NEW_YEAR + "2026-05-01,holiday,x,notice,sure\n", 3, "confidence: 'sure' is none of"),
        (NEW_YEAR + "2026-05-01,holiday,x,notice,verified\n" + NEW_YEAR, 4, "stands already in line 2"),
        (NEW_YEAR + "2026-05-06,working_weekend,x,notice,verified\n", 3, "a working weekend from Monday to Friday"),
        (NEW_YEAR + "2028-01-01,holiday,x,notice,verified\n", 3, "2028 follows 2026: no days of the years between"),
    ],
)
def test_a_table_that_cannot_be_true_is_refused_with_its_line(
    tmp_path: Path, rows: str, line: int, reason: str
) -> None:
    with pytest.raises(PolicyError) as refused:
        calendar.load(written(tmp_path, rows))
    assert refused.value.line == line
    assert reason in str(refused.value)
    assert "days.csv" in str(refused.value)


def test_every_day_in_the_table_has_its_source() -> None:
    table = read_table(calendar.FILE, NamedDay)
    assert {row.date.year for row in table} == set(range(2018, 2027))
    assert all(row.source.startswith("chinese-calendar ") and row.confidence == "verified" for row in table)
