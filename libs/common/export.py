"""Tables as files, streamed: CSV and Parquet, page by page, in memory that does not grow with the number of rows.

A page is a list of rows, a row a sequence of values in the order of the columns; None is an empty cell.
"""

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pyarrow as pa
from pyarrow import parquet

Kind = Literal["text", "integer", "date", "boolean"]
Page = Sequence[Sequence[Any]]

CSV, PARQUET = "text/csv", "application/vnd.apache.parquet"
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet takes a text that begins so for a formula."""

_TYPES: Mapping[Kind, pa.DataType] = {
    "text": pa.string(), "integer": pa.int64(), "date": pa.date32(), "boolean": pa.bool_(),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    kind: Kind


async def as_csv(columns: Sequence[Column], pages: AsyncIterator[Page], remark: str) -> AsyncIterator[bytes]:
    """CSV (RFC 4180, UTF-8): `remark` in a first line that begins with #, the names of the columns, the rows.

    A text that a spreadsheet would calculate is written with an apostrophe before it.
    """
    yield f"# {' '.join(remark.split())}\r\n".encode()
    yield _lines([[column.name for column in columns]])
    async for page in pages:
        yield _lines([[_cell(value) for value in row] for row in page])


async def as_parquet(
    columns: Sequence[Column], pages: AsyncIterator[Page], metadata: Mapping[str, str]
) -> AsyncIterator[bytes]:
    """Parquet, a row group for each page, with `metadata` (key: text) in the file's schema."""
    fields = [pa.field(column.name, _TYPES[column.kind]) for column in columns]
    schema = pa.schema(fields, metadata={key.encode(): text.encode() for key, text in metadata.items()})
    written = _Written()
    with parquet.ParquetWriter(written, schema, compression="zstd") as writer:
        async for page in pages:
            if page:
                await asyncio.to_thread(writer.write_batch, _batch(schema, page))
            yield written.take()
    yield written.take()


def _batch(schema: pa.Schema, page: Page) -> pa.RecordBatch:
    values = zip(*page, strict=True)
    arrays = [pa.array(column, field.type) for column, field in zip(values, schema, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _lines(rows: Sequence[Sequence[Any]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str) and value.startswith(FORMULA):
        return f"'{value}"
    return value


class _Written(io.RawIOBase):
    """Where the writer puts its bytes until they are sent."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.parts.append(bytes(data))
        return len(self.parts[-1])

    def take(self) -> bytes:
        taken, self.parts = b"".join(self.parts), []
        return taken
