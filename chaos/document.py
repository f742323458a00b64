"""What came of a run, as the text for docs/reliability.md."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from chaos.faults import every_fault
from chaos.outcome import Outcome, seconds_until_well
from libs.common.crash import POINTS


def text(outcome: Outcome, command: str) -> str:
    return "\n".join([*_head(outcome, command), *_recovery(outcome), *_checks(outcome), *_lists(outcome), ""])


def _head(outcome: Outcome, command: str) -> Iterator[str]:
    hit = sorted(outcome.crash_points)
    quiet = "It never came to rest." if outcome.quiet is None else f"Quiet {outcome.quiet:.0f} s after the end of use."
    yield f"`{command}`: seed {outcome.seed}, {outcome.seconds / 60:.0f} minutes, {len(outcome.faults)} faults done,"
    yield f"{len(outcome.not_reached)} more tried whose place was not come to (not counted), {len(outcome.failed)} that"
    yield f"could not be done or mended. {sum(outcome.report.events.values()):,} events were said,"
    yield f"{outcome.report.repeats:,} records came again on the topics and had no second effect. {quiet}"
    yield f"Violations and other complaints: {len(outcome.complaints)}."
    yield ""
    yield f"Crash points hit: {len(hit)} of {len(POINTS)}" + (f" ({', '.join(hit)})." if hit else ".")


def _recovery(outcome: Outcome) -> Iterator[str]:
    yield from ("", "| fault | times | p50 | p99 | max |", "|---|---:|---:|---:|---:|")
    found = seconds_until_well(outcome.faults)
    never = {one.kind for one in every_fault()} - found.keys()
    for kind, (times, *seconds) in found.items():
        yield f"| {kind.replace('_', ' ')} | {times} | {' | '.join(f'{one:.1f}' for one in seconds)} |"
    yield from ("", f"Not seen in this run: {', '.join(sorted(never)).replace('_', ' ') or 'none'}.")


def _checks(outcome: Outcome) -> Iterator[str]:
    yield from ("", "| | holds | looked at | violations |", "|---|---|---:|---:|")
    for one in outcome.report.checks:
        yield f"| {one.invariant} | {one.sentence} | {one.looked_at:,} | {len(one.violations)} |"


def _lists(outcome: Outcome) -> Iterator[str]:
    titled: Sequence[tuple[str, Sequence[str]]] = (
        ("Complaints", outcome.complaints), ("Not come to", outcome.not_reached),
    )  # fmt: skip
    for title, lines in titled:
        yield from ("", f"{title}:", "", *(f"- {line}" for line in lines or ["none"]))
