"""python -m services.registration.importer FILE [--rejects FILE]: enter the enterprises of an older register.

FILE is CSV with a header, or Parquet, with the columns of `domain/imported.py`. An identifier that fails a check is
entered and flagged; a bad line goes to the reject file with its number, the field and the reason. Each batch is entered
with how far the file is read, so that the command, started again, goes on where it stopped.
"""

import argparse
import asyncio
import csv
import hashlib
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO

import asyncpg
import pyarrow as pa
from pyarrow import parquet
from rich.console import Console
from rich.status import Status

from libs.common.clock import BusinessClock, Clock
from libs.common.database import connect, open_database
from services.registration import domain, policy
from services.registration.domain import Fault
from services.registration.domain.imported import COLUMNS, Imported, read
from services.registration.messages import text
from services.registration.service import service
from services.registration.use_cases import enter_imported

BATCH = 5_000
HEADER = "line,uscc,field,code,reason_zh,reason_en\n"
ALONE = "SELECT pg_try_advisory_lock(hashtextextended($1, 10))"
BEGIN = """
INSERT INTO import_run (digest) VALUES ($1) ON CONFLICT (digest) DO UPDATE SET digest = excluded.digest
RETURNING lines, entered, flagged, rejected, reject_bytes
"""
GO_ON = """
UPDATE import_run SET lines = $2, entered = $3, flagged = $4, rejected = $5, reject_bytes = $6 WHERE digest = $1
"""

Line = tuple[int, Mapping[str, str]]
Read = tuple[int, Mapping[str, str], Imported | tuple[Fault, ...]]


class Unusable(Exception):
    """The file as a whole cannot be imported; the sentence says why."""


@dataclass(slots=True)
class Run:
    """How far a file is read, and what has come of it. `reject_bytes`: the reject file up to there."""

    lines: int = 0
    entered: int = 0
    flagged: int = 0
    rejected: int = 0
    reject_bytes: int = 0

    def __str__(self) -> str:
        return (
            f"{self.lines:,} lines: {self.entered:,} entered, {self.flagged:,} of them flagged, "
            f"{self.rejected:,} rejected"
        )


def lines(file: Path) -> Iterator[Line]:
    """The lines of a file with their numbers, a record at a time. Raises Unusable for columns that are not the ones."""
    if file.suffix == ".parquet":
        yield from _of_parquet(file)
        return
    with file.open(encoding="utf-8-sig", newline="") as opened:
        found = csv.DictReader(opened, restkey="more", restval="")
        _require_columns(found.fieldnames or ())
        for row in found:
            yield found.line_num, row


def _of_parquet(file: Path) -> Iterator[Line]:
    with parquet.ParquetFile(file) as opened:
        _require_columns(opened.schema_arrow.names)
        number = 0
        for batch in opened.iter_batches(BATCH, columns=list(COLUMNS)):
            for row in batch.cast(pa.schema([(name, pa.string()) for name in batch.schema.names])).to_pylist():
                number += 1
                yield number, {name: value or "" for name, value in row.items()}


def _require_columns(found: object) -> None:
    if missing := [name for name in COLUMNS if name not in found]:  # type: ignore[operator]
        raise Unusable(f"The file lacks the columns {', '.join(missing)}.")


async def run(
    connection: asyncpg.Connection, file: Path, rejects: Path, law: domain.Policy, clock: Clock, status: Status
) -> Run:
    """Read the file to its end, from where an earlier run of the same file has stopped."""
    with file.open("rb") as opened:
        digest = hashlib.file_digest(opened, "sha256").hexdigest()
    if not await connection.fetchval(ALONE, digest):
        raise Unusable("This file is being imported already.")
    done = Run(**dict(await connection.fetchrow(BEGIN, digest) or {}))
    with _continued(rejects, done) as out:
        began, before = time.monotonic(), done.lines
        rest = islice(lines(file), done.lines, None)
        ahead = _next(rest, law, clock)
        try:
            while batch := await ahead:
                ahead = _next(rest, law, clock)
                async with connection.transaction():
                    await _enter(connection, batch, out, law, clock, done)
                    await connection.execute(
                        GO_ON, digest, done.lines, done.entered, done.flagged, done.rejected, done.reject_bytes
                    )
                rate = (done.lines - before) / (time.monotonic() - began)
                status.update(f"{done}, {rate:,.0f} lines a second")
        finally:
            await asyncio.wait([ahead])
    return done


def _next(rest: Iterator[Line], law: domain.Policy, clock: Clock) -> asyncio.Task[list[Read]]:
    """The next lines, read in a thread while the database enters those before them."""

    def read_on() -> list[Read]:
        return [(number, line, read(line, law, clock.today())) for number, line in islice(rest, BATCH)]

    return asyncio.create_task(asyncio.to_thread(read_on))


def _continued(rejects: Path, done: Run) -> IO[str]:
    """The reject file as it stood when the last batch was entered."""
    out = rejects.open("r+" if rejects.exists() else "w+", encoding="utf-8", newline="")
    out.truncate(done.reject_bytes)
    out.seek(0, 2)
    if not done.reject_bytes:
        out.write(HEADER)
    return out


async def _enter(
    connection: asyncpg.Connection, found: list[Read], out: IO[str], law: domain.Policy, clock: Clock, done: Run
) -> None:
    good: dict[str, Imported] = {}
    bad: list[tuple[int, Mapping[str, str], Fault]] = []
    for number, line, one in found:
        if isinstance(one, tuple):
            bad.extend((number, line, fault) for fault in one)
        elif one.uscc in good:
            bad.append((number, line, Fault("uscc", "uscc_repeated")))
        else:
            good[one.uscc] = one
    entered = await enter_imported(connection, list(good.values()), law, clock)
    taken = {code for code in good if code not in entered}
    bad.extend(
        (number, line, Fault("uscc", "uscc_on_register"))
        for number, line, one in found
        if isinstance(one, Imported) and one.uscc in taken and good[one.uscc] is one
    )
    writer = csv.writer(out, lineterminator="\n")
    for number, line, fault in sorted(bad, key=lambda one: one[0]):
        sentences = (text(fault.code, "zh", **fault.params), text(fault.code, "en", **fault.params))
        writer.writerow([number, line.get("uscc", ""), fault.field, fault.code, *sentences])
    out.flush()
    done.lines += len(found)
    done.entered += len(entered)
    done.flagged += sum(bool(good[code].flags) for code in entered)
    done.rejected += len({number for number, _, _ in bad})
    done.reject_bytes = out.buffer.tell()  # type: ignore[attr-defined]


async def main(file: Path, rejects: Path) -> None:
    settings = service.load_settings()
    database = open_database(settings)
    connection = await connect(database, statement_timeout="0")
    console = Console(stderr=True)
    try:
        with console.status("0 lines") as status:
            done = await run(
                connection, file, rejects, policy.current(), BusinessClock(settings.business_start), status
            )
    finally:
        await connection.close()
        await database.engine.dispose()
    console.print(f"{done}; rejected lines are in {rejects}" if done.rejected else str(done))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m services.registration.importer", description=__doc__)
    parser.add_argument("file", type=Path, metavar="FILE")
    parser.add_argument("--rejects", type=Path, metavar="FILE", help="FILE.rejects.csv otherwise")
    given = parser.parse_args()
    try:
        asyncio.run(main(given.file, given.rejects or given.file.with_suffix(".rejects.csv")))
    except (Unusable, OSError, UnicodeDecodeError, csv.Error) as error:
        sys.exit(str(error))
