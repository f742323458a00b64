"""Check of recovery: after each fault, every service is well again within the bound of its kind, with nobody's help."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from tests.checker.evidence import Evidence
from tests.checker.record import Fault, Look, Record, bounds
from tests.checker.report import Checked

LEAST_SHARE = 0.1
"""With less of the machine than that nothing can be said of time."""


@dataclass(frozen=True, slots=True)
class Recovery:
    """How long after the end of a fault a service was well; endless if it never was. `overtaken`: the next fault began
    before that, and is the one to be judged."""

    fault: Fault
    service: str
    seconds: float
    overtaken: bool


def recoveries(record: Record) -> list[Recovery]:
    """One for each fault and service, in the order of the faults."""
    found = []
    well = _well(record.looks)
    for fault in record.faults:
        for service, times in well.items():
            after = bisect_left(times, fault.ended)
            at = times[after] if after < len(times) else math.inf
            # Where another lies over its end or begins before all is well, the last of them is judged.
            overtaken = any(other.ended > fault.ended and other.began < at for other in record.faults)
            found.append(Recovery(fault, service, at - fault.ended, overtaken))
    return found


def _well(looks: Sequence[Look]) -> Mapping[str, list[float]]:
    """When each service was seen well, and was still so at the next look."""
    by_service: dict[str, list[Look]] = defaultdict(list)
    for look in looks:
        by_service[look.service].append(look)
    return {
        service: [one.at for one, following in pairwise(seen) if one.well and following.well]
        for service, seen in by_service.items()
    }


def services_recover_within_a_bound(evidence: Evidence) -> Checked:
    """As seen from outside: it answers, and what it has not read or not sent is little. A service is not well for long
    without a fault, either."""
    record = evidence.record
    found = recoveries(record)
    unknown = {one.fault for one in record.faults} - bounds().keys()
    violations = [f"no bound is known for {name}" for name in sorted(unknown)]
    for one in found:
        bound = bounds().get(one.fault.fault, math.inf) * stretch(record, one.fault)
        if one.seconds > bound and not one.overtaken:
            what = f"{one.fault.fault} of {one.fault.target}"
            violations.append(f"{one.service}: {_seconds(one.seconds)} after {what}, at most {bound:.0f} s")
    violations += _unwell_without_a_cause(record)
    return Checked("I10", "services recover within a bound, with no operator", len(found), tuple(violations))


def stretch(record: Record, fault: Fault) -> float:
    """By how much longer all takes while others have the machine: a run that gets a third of its cores gets three times
    as long. What the run itself makes of them is its own affair."""
    until = fault.ended + bounds().get(fault.fault, 0.0)
    seen = [one.ours for one in record.shares if fault.began <= one.at <= until]
    return 1 / max(LEAST_SHARE, median(seen)) if seen else 1.0


def _seconds(seconds: float) -> str:
    return "not well any more" if math.isinf(seconds) else f"well {seconds:.0f} s"


def _unwell_without_a_cause(record: Record) -> Iterator[str]:
    """Longer than any bound since it was last well, and no fault within that time."""
    longest = max(bounds().values()) / max(LEAST_SHARE, min([1.0, *(one.ours for one in record.shares)]))
    for service, times in _well(record.looks).items():
        last = max(look.at for look in record.looks if look.service == service)
        for since, until in zip(times, [*times[1:], last], strict=True):
            if until - since > longest and not any(one.began < until and one.ended > since for one in record.faults):
                yield f"{service}: not well for {until - since:.0f} s, and nothing was broken"
