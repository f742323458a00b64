"""Business time: the clock is an argument everywhere, so that a date is never read behind somebody's back.

Dates are Asia/Shanghai dates. Tokens, time-outs, idempotency keys and logs use real time and never this clock.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Protocol
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")


class Clock(Protocol):
    def today(self) -> date:
        """The business date in Shanghai."""
        ...

    def now(self) -> datetime:
        """The business time, with its zone; recorded time is this one."""
        ...


@dataclass(slots=True)
class BusinessClock:
    """The real clock; or, when `frozen_on` is set, a date that only a command moves (never backwards)."""

    frozen_on: date | None = None

    def today(self) -> date:
        return self.frozen_on or datetime.now(SHANGHAI).date()

    def now(self) -> datetime:
        real = datetime.now(SHANGHAI)
        on = self.frozen_on or real.date()
        return datetime.combine(on, real.timetz()).astimezone(UTC)

    def advance(self, to: date) -> None:
        if self.frozen_on is not None and to > self.frozen_on:
            self.frozen_on = to


@dataclass(frozen=True, slots=True)
class ClockOn:
    """The clock as it stood on a due date: an act that time fires is judged on its own day, even when it runs late."""

    on: date
    clock: Clock

    def today(self) -> date:
        return self.on

    def now(self) -> datetime:
        return datetime.combine(self.on, self.clock.now().astimezone(SHANGHAI).timetz()).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class ClockOfOneDay:
    """The clock of one act: all of it is of the day on which it began, though midnight passes meanwhile."""

    on: date
    clock: Clock

    def today(self) -> date:
        return self.on

    def now(self) -> datetime:
        now = self.clock.now()
        if now.astimezone(SHANGHAI).date() == self.on:
            return now
        return datetime.combine(self.on, time.max, SHANGHAI).astimezone(UTC)


def for_one_act(clock: Clock) -> Clock:
    """As the clock stands now, for all that is done in one transaction."""
    return ClockOfOneDay(clock.today(), clock)
