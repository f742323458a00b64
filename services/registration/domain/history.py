"""What held when, and what was known of it when: spans of valid time, replaced and never altered. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from services.registration.domain.application import Fault, FormReturned

Because = Literal["registered", "changed", "corrected", "deregistered", "withdrawn", "taken_over"]


@dataclass(frozen=True, slots=True)
class Span:
    """`content` holds from `valid_from` to the day before `valid_to`, or on and on."""

    valid_from: date
    valid_to: date | None
    content: Mapping[str, Any]

    def overlaps(self, since: date, until: date | None) -> bool:
        return (until is None or self.valid_from < until) and (self.valid_to is None or since < self.valid_to)


def amended(
    spans: Sequence[Span], since: date, until: date | None, fields: Mapping[str, Any]
) -> Iterator[tuple[Span, list[Span]]]:
    """Each span that no longer holds as it is known, with those that take its place, where `fields` are said to hold
    from `since` to the day before `until`."""
    for span in spans:
        if not span.overlaps(since, until):
            continue
        begins, ends = max(span.valid_from, since), _earlier(span.valid_to, until)
        pieces = [Span(begins, ends, {**span.content, **fields})]
        if span.valid_from < begins:
            pieces.insert(0, Span(span.valid_from, begins, span.content))
        if ends is not None and (span.valid_to is None or ends < span.valid_to):
            pieces.append(Span(ends, span.valid_to, span.content))
        yield span, pieces


def checked_period(since: date, until: date, registered_on: date, today: date) -> None:
    """A correction is of the past, on the register. Raises FormReturned with every fault."""
    faults = []
    if since < registered_on:
        faults.append(Fault("valid_from", "correction_before_registration", {"first": registered_on.isoformat()}))
    if until <= since:
        faults.append(Fault("valid_to", "correction_period_empty"))
    if until > today:
        faults.append(Fault("valid_to", "correction_of_what_is_to_come", {"today": today.isoformat()}))
    if faults:
        raise FormReturned(faults)


def _earlier(one: date | None, other: date | None) -> date | None:
    return min((day for day in (one, other) if day is not None), default=None)
