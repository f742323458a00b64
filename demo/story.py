"""The story as it is printed: short sections, figures, and what did not hold."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from tests.checker import Report

CLASS_COLOURS = {"A": "green", "B": "cyan", "C": "yellow", "D": "red"}


@dataclass(slots=True)
class Story:
    console: Console = field(default_factory=lambda: Console(highlight=False, width=110))
    began: float = field(default_factory=time.monotonic)
    failures: list[str] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began

    def section(self, title: str) -> None:
        self.console.print(f"\n[bold]{title}[/]  [dim]{self.seconds:.0f} s[/]")

    def say(self, line: str, indent: int = 2) -> None:
        """One line, or several with a hanging indent; nothing stands behind their ends."""
        for row in Text.from_markup(line).wrap(self.console, self.console.width - indent):
            row.rstrip()
            self.console.print(Text(" " * indent) + row)

    def expect(self, holds: bool, sentence: str) -> bool:
        """Say what should hold; one thing that does not makes the demonstration fail, and it goes on to tell more."""
        self.say(f"[green]✓[/] {sentence}" if holds else f"[bold red]✗ {sentence}[/]")
        if not holds:
            self.failures.append(sentence)
        return holds

    def decision(self, title: str, form: dict[str, Any], answer: dict[str, Any], outcome: str) -> None:
        """A form that was refused or sent to review: the item of the list, the reason, the source."""
        finding = next(found for found in answer["decision"]["findings"] if found["outcome"] == outcome)
        name = "".join(form["enterprise_name"].values())
        self.say(f"[yellow]{title}[/] {escape(name)}, activity {finding['activity'] or '-'}")
        if finding["item_no"] is not None:
            self.say(
                f"negative list {finding['edition']} ({finding['instrument']}) item {finding['item_no']}: "
                f"{escape(finding['summary'])}",
                indent=6,
            )
        self.say(escape(" ".join(finding["sentences"])), indent=6)
        if finding["source"]:
            self.say(f"[dim]source: {escape(finding['source'])}[/]", indent=6)

    def standing(self, when: str, found: dict[str, Any]) -> None:
        """The score and the class of one enterprise, with what each rule adds."""
        parts = " + ".join(f"{part['rule']} {part['points']}" for part in found["contributions"]) or "nothing"
        letter = found["risk_class"]
        self.say(f"{when}: {found['uscc']} is class [{CLASS_COLOURS[letter]}]{letter}[/] by {found['score']} points")
        self.say(f"= {parts}", indent=6)

    def distributions(self, rows: Sequence[tuple[str, dict[str, int]]]) -> None:
        """Enterprises by class on several days."""
        table = Table(box=None, pad_edge=False, padding=(0, 2))
        table.add_column("  business day")
        for letter, colour in CLASS_COLOURS.items():
            table.add_column(letter, justify="right", style=colour)
        for day, classes in rows:
            table.add_row(f"  {day}", *(str(classes[letter]) for letter in CLASS_COLOURS))
        self.console.print(table)

    def checked(self, report: Report) -> None:
        report.print(self.console)


def quantile(values: Sequence[float], q: float) -> float:
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * q), len(ordered) - 1)]
