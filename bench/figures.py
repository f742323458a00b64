"""Repeated, interleaved measurements and how they are shown."""

from __future__ import annotations

import statistics
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

console = Console(width=120)
Measure = Callable[[], Awaitable[float]]


@dataclass(frozen=True, slots=True)
class Runs:
    """What one thing measured, run by run."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    def __str__(self) -> str:
        return f"{self.median:,.0f}  ({min(self.values):,.0f} to {max(self.values):,.0f})"


async def interleaved(measures: Mapping[str, Measure], rounds: int) -> dict[str, Runs]:
    """Each thing once per round, in turn, so that what else the machine does falls on all of them alike."""
    values: dict[str, list[float]] = {name: [] for name in measures}
    for _ in range(rounds):
        for name, measure in measures.items():
            values[name].append(await measure())
    return {name: Runs(tuple(found)) for name, found in values.items()}


def show(title: str, unit: str, found: Mapping[str, Runs], against: str | None = None) -> None:
    table = Table("", f"{unit}: median (range)", "ratio" if against else "", title=title, title_justify="left")
    for name, runs in found.items():
        ratio = f"{runs.median / found[against].median:.2f}" if against else ""
        table.add_row(name, str(runs), ratio)
    console.print(table)


def percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]
