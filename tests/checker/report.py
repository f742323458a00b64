"""What the checker found: one line per check, as a table or as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

SHOWN = 3


@dataclass(frozen=True, slots=True)
class Checked:
    """One check: the invariant it proves, its sentence, how many things it looked at, and what broke it."""

    invariant: str
    sentence: str
    looked_at: int
    violations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """`events`: how many each service has said. `repeats`: records on the topics that say an event again. `types`: of
    all that was said."""

    checks: tuple[Checked, ...]
    events: Mapping[str, int]
    repeats: int
    seconds: float
    types: frozenset[str] = frozenset()

    @property
    def violations(self) -> tuple[str, ...]:
        return tuple(f"{one.invariant}: {violation}" for one in self.checks for violation in one.violations)

    @property
    def broken(self) -> frozenset[str]:
        """The invariants that do not hold."""
        return frozenset(one.invariant for one in self.checks if one.violations)

    def as_json(self) -> str:
        checks = [
            {"invariant": one.invariant, "check": one.sentence, "looked_at": one.looked_at,
             "violations": len(one.violations), "first": one.violations[:SHOWN]}
            for one in self.checks
        ]  # fmt: skip
        totals = {"violations": len(self.violations), "events": dict(self.events), "repeats": self.repeats}
        return json.dumps({**totals, "seconds": self.seconds, "checks": checks})

    def print(self, console: Console) -> None:
        table = Table(box=None, pad_edge=False)
        table.add_column("")
        table.add_column("holds")
        table.add_column("looked at", justify="right")
        table.add_column("violations", justify="right")
        for one in self.checks:
            style = "red" if one.violations else None
            table.add_row(one.invariant, one.sentence, f"{one.looked_at:,}", str(len(one.violations)), style=style)
        console.print(table)
        for one in self.checks:
            for violation in one.violations[:SHOWN]:
                console.print(f"[red]{one.invariant}[/] {violation}", highlight=False, soft_wrap=True)
            if len(one.violations) > SHOWN:
                console.print(f"[red]{one.invariant}[/] and {len(one.violations) - SHOWN} more")
