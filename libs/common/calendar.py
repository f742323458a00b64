"""Working days in China: the holidays and the make-up Saturdays and Sundays that the State Council announces by year.

A day that the table does not name is a working day from Monday to Friday. Beyond the years that it names, that is all
there is to go by, and an answer that rests on such a day says so: `provisional`.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Literal

from libs.common.policy import PolicyError, read_table, unique

FILE = Path(__file__).with_name("calendar_days.csv")
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class NamedDay:
    """A row of the table: a day off, or a Saturday or Sunday that is worked to make up for one."""

    date: date
    kind: Literal["holiday", "working_weekend"]
    name_zh: str
    source: str
    confidence: Literal["verified", "memory", "doubtful"]


@dataclass(frozen=True, slots=True)
class Deadline:
    """The last day on which something is in time. `provisional`: the years up to it are not all announced yet."""

    on: date
    provisional: bool


@dataclass(frozen=True, slots=True)
class Calendar:
    """The announced days; years from `first` to `last` are announced whole. `digest` is that of the file."""

    holidays: frozenset[date]
    working_weekends: frozenset[date]
    first: date
    last: date
    digest: str

    def is_working_day(self, day: date) -> bool:
        """Whether offices work on `day`."""
        return day in self.working_weekends or (day.weekday() < 5 and day not in self.holidays)

    def add_working_days(self, start: date, days: int) -> Deadline:
        """The working day that is `days` (1 or more) after `start`, which is not counted itself."""
        if days < 1:
            raise ValueError(f"{days} working days after {start}: count from 1")
        on, left = start, days
        while left:
            on += DAY
            left -= self.is_working_day(on)
        return Deadline(on, provisional=start + DAY < self.first or on > self.last)

    def working_days_between(self, start: date, end: date) -> int:
        """How many working days lie after `start`, up to and including `end`; none where `end` is not later."""
        return sum(self.is_working_day(day) for day in _days(start + DAY, end))


def load(path: Path = FILE) -> Calendar:
    """Read a table of days. Raises PolicyError (file, line, reason) for a row that cannot be read, a day named twice,
    a make-up day from Monday to Friday, and a year left out between others."""
    table = read_table(path, NamedDay, required=("name_zh", "source"))
    unique(table, lambda row: row.date)
    table.require(
        lambda row: row.kind == "holiday" or row.date.weekday() >= 5, "{date}: a working weekend from Monday to Friday"
    )
    line_of = {row.date.year: index for index, row in enumerate(table)}
    if not line_of:
        raise PolicyError(path, 1, "names no day")
    for earlier, later in pairwise(sorted(line_of)):
        if later != earlier + 1:
            raise table.error(line_of[later], f"{later} follows {earlier}: no days of the years between")
    return Calendar(
        holidays=frozenset(row.date for row in table if row.kind == "holiday"),
        working_weekends=frozenset(row.date for row in table if row.kind == "working_weekend"),
        first=date(min(line_of), 1, 1),
        last=date(max(line_of), 12, 31),
        digest=hashlib.sha256(path.read_bytes()).hexdigest(),
    )


@cache
def current() -> Calendar:
    """The calendar that this process goes by, read once."""
    return load()


def is_working_day(day: date) -> bool:
    """Whether offices work on `day`."""
    return current().is_working_day(day)


def add_working_days(start: date, days: int) -> Deadline:
    """The working day that is `days` (1 or more) after `start`, which is not counted itself."""
    return current().add_working_days(start, days)


def working_days_between(start: date, end: date) -> int:
    """How many working days lie after `start`, up to and including `end`; none where `end` is not later."""
    return current().working_days_between(start, end)


def _days(first: date, last: date) -> Iterator[date]:
    return (first + DAY * n for n in range((last - first).days + 1))
