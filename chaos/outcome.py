"""What came of a run: as JSON, as a table, and whether it holds."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

from rich.console import Console
from rich.table import Table

from libs.common.crash import POINTS
from tests.checker import Report


@dataclass(frozen=True, slots=True)
class Broken:
    """A fault that was done. `recovered`: seconds from the end of its cause until all that it touched was well; None if
    that never was. `began` and `ended` count from the start of the run, in seconds."""

    kind: str
    name: str
    target: str
    what: str
    began: float
    ended: float
    recovered: float | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """`not_reached`: faults whose place was not come to, and which do not count. `failed`: those that could not be done
    or mended. `quiet`: seconds from the end of use until nothing was left to do; None if there always was."""

    seed: int
    seconds: float
    faults: Sequence[Broken]
    not_reached: Sequence[str]
    failed: Sequence[str]
    quiet: float | None
    report: Report

    @property
    def complaints(self) -> list[str]:
        """Everything that speaks against the run."""
        never = [f"{one.target}: never well after {one.what}" for one in self.faults if one.recovered is None]
        restless = ["there was always something left to do"] if self.quiet is None else []
        return [*self.report.violations, *never, *restless, *(f"not mended: {one}" for one in self.failed)]

    @property
    def crash_points(self) -> set[str]:
        """The named points at which some service was killed."""
        return {point for point in POINTS for one in self.faults if one.name == f"at {point}"}

    def as_json(self) -> str:
        return json.dumps(
            {
                "seed": self.seed, "seconds": self.seconds, "faults": [asdict(one) for one in self.faults],
                "not_reached": list(self.not_reached), "failed": list(self.failed), "quiet": self.quiet,
                "complaints": self.complaints, "report": json.loads(self.report.as_json()),
            },
            ensure_ascii=False, indent=1,
        )  # fmt: skip

    def print(self, console: Console) -> None:
        console.print(by_kind(self.faults))
        self.report.print(console)
        events = sum(self.report.events.values())
        console.print(
            f"seed {self.seed}: {len(self.faults)} faults in {self.seconds / 60:.0f} minutes, {len(self.not_reached)} "
            f"more not come to; crash points {len(self.crash_points)} of {len(POINTS)}; {events:,} events, "
            f"{self.report.repeats:,} came again; {len(self.complaints)} complaints"
        )
        for complaint in self.complaints[:20]:
            console.print(f"[red]{complaint}[/]", highlight=False, soft_wrap=True)


def by_kind(faults: Iterable[Broken]) -> Table:
    """Seconds until well again, by kind of fault."""
    table = Table(title="Seconds until well again", title_justify="left")
    for name in ("fault", "times", "p50", "p99", "max"):
        table.add_column(name, justify="left" if name == "fault" else "right")
    for kind, (times, *seconds) in seconds_until_well(faults).items():
        table.add_row(kind.replace("_", " "), str(times), *(f"{value:.1f}" for value in seconds))
    return table


def seconds_until_well(faults: Iterable[Broken]) -> dict[str, tuple[int, float, float, float]]:
    """How often each kind was done, and p50, p99 and the longest of its recoveries; "all" comes last."""
    took: Mapping[str, list[float]] = defaultdict(list)
    for one in faults:
        for name in (one.kind, "all"):
            took[name].append(math.inf if one.recovered is None else one.recovered)
    summed = {}
    for kind in sorted(took, key=lambda name: (name == "all", name)):
        found = sorted(took[kind])
        p50, p99 = (found[min(len(found) - 1, int(share * len(found)))] for share in (0.5, 0.99))
        summed[kind] = (len(found), p50, p99, found[-1])
    return summed
