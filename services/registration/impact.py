"""python -m services.registration.impact BEFORE AFTER [--law FOLDER] [--out FILE]: whom an edition or a pilot moves.

BEFORE and AFTER are days. With --law the day AFTER is judged by the tables in that folder (a copy of `policy/` with the
new edition in it), otherwise both by those that are loaded. Enterprises and open applications that are newly inside the
list, newly outside, or asked something else, as CSV; progress and a summary go to standard error.
"""

import argparse
import asyncio
import csv
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TextIO

import asyncpg
from rich.console import Console

from libs.common.database import connect, open_database
from libs.common.policy import PolicyError
from services.registration import policy
from services.registration.domain.impact import LawOn
from services.registration.service import service
from services.registration.use_cases import IMPACT_COLUMNS, edition_impact, moved_cells


@dataclass(slots=True)
class Summary:
    """What a pass has come to."""

    looked_at: int = 0
    moved: Counter[tuple[str, str]] = field(default_factory=Counter)

    def __str__(self) -> str:
        parts = [f"{subject}s {move}: {number:,}" for (subject, move), number in sorted(self.moved.items())]
        return f"{self.looked_at:,} judged twice; {', '.join(parts) or 'nobody is moved'}"


async def write(
    connection: asyncpg.Connection, before: LawOn, after: LawOn, out: TextIO, told: Callable[[str], None]
) -> Summary:
    """Write everybody who is moved, and tell after each page how far it is."""
    summary, lines = Summary(), csv.writer(out, lineterminator="\n")
    lines.writerow(IMPACT_COLUMNS)
    async for found in edition_impact(connection, before, after):
        lines.writerows(map(moved_cells, found.moved))
        summary.looked_at += found.looked_at
        summary.moved.update((one.subject, one.effect.move) for one in found.moved)
        told(f"{summary.looked_at:,}")
    return summary


async def main(before: date, after: date, law: Path | None, out: TextIO) -> None:
    console = Console(stderr=True)
    laws = LawOn(policy.current(), before), LawOn(policy.load(law) if law else policy.current(), after)
    database = open_database(service.load_settings())
    connection = await connect(database, statement_timeout="0")
    try:
        with console.status("0 judged") as status:
            summary = await write(connection, *laws, out, lambda text: status.update(f"{text} judged"))
    finally:
        await connection.close()
        await database.engine.dispose()
    console.print(str(summary))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m services.registration.impact", description=__doc__)
    parser.add_argument("before", type=date.fromisoformat, metavar="BEFORE")
    parser.add_argument("after", type=date.fromisoformat, metavar="AFTER")
    parser.add_argument("--law", type=Path, metavar="FOLDER")
    parser.add_argument("--out", type=Path, metavar="FILE")
    given = parser.parse_args()
    try:
        with given.out.open("w", encoding="utf-8", newline="") if given.out else sys.stdout as opened:
            asyncio.run(main(given.before, given.after, given.law, opened))
    except PolicyError as error:
        sys.exit(str(error))
