"""Checks of what a run may take: memory stays bounded, and disk is bounded for each enterprise and year."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from tests.checker.evidence import Evidence
from tests.checker.record import Disk, Memory
from tests.checker.report import Checked

MIB, KIB = 1 << 20, 1 << 10
LARGEST = {"kafka": 1200 * MIB, "postgres": 600 * MIB, "": 400 * MIB}
"""Resident memory that a process may take, by the beginning of its name; "" is any other: a service."""
WARM_SECONDS = 60.0
"""A process may grow while it fills its pools and caches."""
JUDGED_SECONDS = 300.0
"""A shorter life after that shows no slope."""
GROWTH = {"kafka": 300 * MIB, "postgres": 200 * MIB, "": 48 * MIB}
"""What a warm process may still grow by, by its trend, however long it lives."""
PER_ENTERPRISE_AND_YEAR = {"database": 400 * KIB, "topics": 100 * KIB}
ENOUGH = 100
"""Enterprises, below which the bytes of empty tables would be shared among too few."""


def memory_stays_bounded(evidence: Evidence) -> Checked:
    """No process takes more than its limit; none that lives long keeps growing."""
    lives: dict[tuple[str, int], list[Memory]] = defaultdict(list)
    for sample in evidence.record.memory:
        lives[sample.process, sample.pid].append(sample)
    violations = []
    for (process, pid), samples in lives.items():
        largest = max(sample.bytes for sample in samples)
        if largest > (limit := _of(process, LARGEST)):
            violations.append(f"{process} ({pid}): took {largest // MIB} MiB, at most {limit // MIB}")
        warm = [sample for sample in samples if sample.at >= samples[0].at + WARM_SECONDS]
        lived = warm[-1].at - warm[0].at if warm else 0.0
        if lived >= JUDGED_SECONDS and (grown := slope(warm) * lived) > (limit := _of(process, GROWTH)):
            violations.append(
                f"{process} ({pid}): grew by {grown / MIB:.0f} MiB in {lived:.0f} s, at most {limit // MIB}"
            )
    return Checked("I11", "memory stays bounded", len(lives), tuple(violations))


def _of(process: str, limits: Mapping[str, int]) -> int:
    return next(limit for name, limit in limits.items() if process.startswith(name))


def slope(samples: Sequence[Memory]) -> float:
    """Bytes a second: the median over all pairs that lie half of the time apart (Theil and Sen), so that neither a
    spike nor one collection of garbage has the say."""
    half = len(samples) // 2
    steps = sorted(
        (later.bytes - earlier.bytes) / (later.at - earlier.at)
        for earlier, later in zip(samples[:half], samples[-half:], strict=True)
        if later.at > earlier.at
    )
    return steps[len(steps) // 2] if steps else 0.0


def disk_is_bounded_per_enterprise_and_year(evidence: Evidence) -> Checked:
    """What a run has added, for each enterprise that it has registered and each year or part of one."""
    by_kind: dict[str, list[Disk]] = defaultdict(list)
    for sample in evidence.record.disk:
        by_kind[sample.what].append(sample)
    violations = []
    for what, samples in by_kind.items():
        first, last = samples[0], samples[-1]
        enterprises, years = last.enterprises - first.enterprises, max(1.0, (last.days - first.days) / 365)
        if enterprises < ENOUGH:
            continue
        each = (last.bytes - first.bytes) / enterprises / years
        if each > PER_ENTERPRISE_AND_YEAR[what]:
            limit = PER_ENTERPRISE_AND_YEAR[what]
            violations.append(f"{what}: {each / KIB:.0f} KiB for each enterprise and year, at most {limit // KIB}")
    looked_at = sum(map(len, by_kind.values()))
    return Checked("I11", "disk is bounded for each enterprise and year", looked_at, tuple(violations))
