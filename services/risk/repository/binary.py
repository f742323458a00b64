"""Rows of PostgreSQL's binary COPY, from and to columns, without one Python object per value."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
END = b"\xff\xff"
HEADER_BYTES = len(HEADER)
ROW_BYTES = 6
"""What stands before the value in a row of one column."""


@dataclass(frozen=True, slots=True)
class Field:
    """A column: bytes of each value, in a row as wide as the longest, and how many of them count; -1 for NULL."""

    values: NDArray[np.uint8]
    lengths: NDArray[np.int32]


def numbers(values: ArrayLike, kind: str, null: ArrayLike | None = None) -> Field:
    """Numbers of a kind (">i2", ">i4", ">i8"), NULL where `null`."""
    column = np.ascontiguousarray(values).astype(kind)
    width = column.dtype.itemsize
    lengths = np.full(len(column), width, np.int32)
    if null is not None:
        lengths[np.asarray(null, np.bool_)] = -1
    return Field(column.view(np.uint8).reshape(-1, width), lengths)


def texts(values: Sequence[str] | NDArray[np.bytes_], null: ArrayLike | None = None) -> Field:
    """ASCII texts."""
    column = np.ascontiguousarray(values, "S")
    lengths = np.char.str_len(column).astype(np.int32)
    if null is not None:
        lengths[np.asarray(null, np.bool_)] = -1
    return Field(column.view(np.uint8).reshape(len(column), -1), lengths)


def copied(*fields: Field) -> bytes:
    """The rows of these columns, from the header to the end."""
    count = len(fields[0].lengths)
    width = 2 + sum(4 + field.values.shape[1] for field in fields)
    rows, kept = np.empty((count, width), np.uint8), np.ones((count, width), np.bool_)
    rows[:, :2] = np.array([len(fields)], ">i2").view(np.uint8)
    at = 2
    for field in fields:
        end = at + 4 + field.values.shape[1]
        rows[:, at : at + 4] = field.lengths.astype(">i4").view(np.uint8).reshape(-1, 4)
        rows[:, at + 4 : end] = field.values
        if (field.lengths != field.values.shape[1]).any():
            kept[:, at + 4 : end] = np.arange(field.values.shape[1]) < field.lengths[:, None]
        at = end
    return HEADER + (rows if kept.all() else rows[kept]).tobytes() + END


def read_as(**columns: str) -> np.dtype[np.void]:
    """The rows of a COPY whose columns are never null and have one width each: the kind of each by name."""
    parts = [part for name, kind in columns.items() for part in ((f"length of {name}", ">i4"), (name, kind))]
    return np.dtype([("columns", ">i2"), *parts])


def read(rows: bytes | bytearray, kind: np.dtype[np.void]) -> NDArray[np.void]:
    """The rows of a whole COPY. Raises ValueError where one has another width."""
    return np.frombuffer(memoryview(rows)[len(HEADER) : -len(END)], kind)
