"""python -m libs.common.parked SERVICE list | show | retry | drop | skip-to | resume

Writes down what a person decided about parked events; the running consumer carries it out.
"""

import argparse
import asyncio
import getpass
from collections.abc import Sequence

import asyncpg
from rich.console import Console
from rich.table import Table

from libs.common.database import connect, open_database
from libs.common.dispositions import Disposition, Futile, dispose
from libs.common.problems import catalogue, sentence
from libs.common.service import find

console = Console(markup=False, highlight=False)  # what stands in an event is not ours to interpret

ERROR_SHOWN = 200
"""Characters of an error in a list: PostgreSQL names the constraint at the end of its sentence."""
LIST = """
SELECT source, subject, sequence, id, state, type, attempts, error, disposition, parked_at FROM parked
WHERE state IN ('waiting', 'failed', 'forked') ORDER BY source, subject, sequence LIMIT $1
"""
FAILING_DUE = """
SELECT kind, subject, on_date, attempts, left(error, $2) AS error FROM due WHERE attempts > 0 ORDER BY on_date LIMIT $1
"""


def _arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m libs.common.parked", description=__doc__)
    parser.add_argument("service")
    acts = parser.add_subparsers(dest="act", required=True)
    acts.add_parser("list", help="what is parked and why")
    sentences = {
        "show": "one parked event with its data",
        "retry": "try a failed event again now",
        "drop": "give up this event: it takes no effect, its followers go on",
        "skip-to": "accept the gap before this event: what is missing there is given up",
    }
    for act, purpose in sentences.items():
        one = acts.add_parser(act, help=purpose)
        one.add_argument("subject")
        one.add_argument("sequence", type=int)
        one.add_argument("--id", help="the event's id, where two events claim one sequence")
        one.add_argument("--source", help="the event's source, where two services speak of one subject")
        one.add_argument("--why", required=act != "show", help="the reason, kept with the event")
    resume = acts.add_parser("resume", help="let a consumer go on that has paused itself")
    resume.add_argument("--why", required=True)
    return parser.parse_args(given)


async def main(arguments: Sequence[str] | None = None) -> None:
    given = _arguments(arguments)
    connection = await connect(open_database(find(given.service).load_settings()))
    who = getpass.getuser()
    try:
        if given.act == "list":
            await _list(connection)
        elif given.act == "show":
            await _show(connection, given)
        elif given.act == "resume":
            await connection.execute('INSERT INTO consumer_resumed ("by", why) VALUES ($1, $2)', who, given.why)
            console.print("The consumer will go on within a second.")
        else:
            act: Disposition = "skip" if given.act == "skip-to" else given.act
            await dispose(
                connection, act, given.subject, given.sequence,
                by=who, why=given.why, id=given.id, source=given.source,
            )  # fmt: skip
            console.print(f"Written down: {given.act} {given.subject} {given.sequence}. The consumer carries it out.")
    except LookupError as error:
        raise SystemExit(str(error)) from None
    except Futile as error:
        raise SystemExit(sentence(error.code, "en", catalogue(), error.params)) from None
    finally:
        await connection.close()


async def _list(connection: asyncpg.Connection) -> None:
    table = Table("source", "subject", "sequence", "state", "attempts", "error", "decided")
    for row in await connection.fetch(LIST, 200):
        table.add_row(
            row["source"], row["subject"], str(row["sequence"]), row["state"], str(row["attempts"]),
            (row["error"] or "")[:ERROR_SHOWN], row["disposition"] or "",
        )  # fmt: skip
    console.print(table)
    if failing := await connection.fetch(FAILING_DUE, 200, ERROR_SHOWN):
        due = Table("due", "subject", "on", "attempts", "error", title="Dates whose act fails; it is tried again")
        for row in failing:
            due.add_row(*(str(row[name]) for name in ("kind", "subject", "on_date", "attempts", "error")))
        console.print(due)


async def _show(connection: asyncpg.Connection, given: argparse.Namespace) -> None:
    rows = await connection.fetch(
        "SELECT * FROM parked WHERE subject = $1 AND sequence = $2", given.subject, given.sequence
    )
    if not rows:
        raise LookupError(f"Nothing is parked for {given.subject} at sequence {given.sequence}.")
    for row in rows:
        for name, value in row.items():
            console.print(f"{name:>15}  {value!r}" if isinstance(value, bytes) else f"{name:>15}  {value}")


if __name__ == "__main__":
    asyncio.run(main())
