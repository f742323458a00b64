"""A table as a file: what was put in comes out again, however many pages it had, and memory stays where it was."""

from __future__ import annotations

import csv
import io
import tracemalloc
from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import pytest
from pyarrow import parquet

from libs.common.export import Column, as_csv, as_parquet

COLUMNS = (Column("uscc", "text"), Column("score", "integer"), Column("on", "date"), Column("foreign", "boolean"))
ROWS = [("91310106MA0000015B", -5, date(2026, 1, 5), True), ("9131,01\n06", None, None, False)]


async def pages(*given: Any) -> AsyncIterator[Any]:
    for page in given:
        yield page


async def whole(parts: AsyncIterator[bytes]) -> bytes:
    return b"".join([part async for part in parts])


async def test_csv_says_what_it_is_for_and_gives_every_row() -> None:
    text = (await whole(as_csv(COLUMNS, pages(ROWS[:1], [], ROWS[1:]), "For internal\nuse"))).decode()
    first, _, rest = text.partition("\r\n")
    assert first == "# For internal use"
    assert list(csv.reader(io.StringIO(rest, newline=""))) == [
        ["uscc", "score", "on", "foreign"],
        ["91310106MA0000015B", "-5", "2026-01-05", "true"],
        ["9131,01\n06", "", "", "false"],
    ]


@pytest.mark.parametrize("text", ["=HYPERLINK(1)", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
async def test_no_text_becomes_a_formula(text: str) -> None:
    written = (await whole(as_csv(COLUMNS[:1], pages([(text,)]), "-"))).decode().split("\r\n", 2)[2]
    assert next(csv.reader(io.StringIO(written, newline=""))) == [f"'{text}"]


async def test_parquet_keeps_types_rows_and_what_the_file_is_for() -> None:
    written = await whole(as_parquet(COLUMNS, pages(ROWS[:1], [], ROWS[1:]), {"notice": "内部使用"}))
    read = parquet.read_table(io.BytesIO(written))
    assert [tuple(row.values()) for row in read.to_pylist()] == ROWS
    assert read.schema.metadata[b"notice"].decode() == "内部使用"
    assert [str(field.type) for field in read.schema] == ["string", "int64", "date32[day]", "bool"]


async def test_a_table_without_rows_is_a_file_all_the_same() -> None:
    assert (await whole(as_csv(COLUMNS, pages(), "-"))).count(b"\r\n") == 2
    assert parquet.read_table(io.BytesIO(await whole(as_parquet(COLUMNS, pages(), {})))).num_rows == 0


@pytest.mark.parametrize("form", ["csv", "parquet"])
async def test_memory_does_not_grow_with_the_rows(form: str) -> None:
    async def many(count: int) -> AsyncIterator[Any]:
        for page in range(count):
            yield [(f"{page:09}{n:09}", n, date(2026, 1, 5), None) for n in range(1_000)]

    async def peak(count: int) -> int:
        parts = as_csv(COLUMNS, many(count), "-") if form == "csv" else as_parquet(COLUMNS, many(count), {})
        tracemalloc.start()
        size = sum([len(part) async for part in parts])
        highest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert size > count * 1_000
        return highest

    await peak(2)
    assert await peak(60) < 2 * await peak(6)
