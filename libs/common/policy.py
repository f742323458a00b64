"""Law as data: CSV files read into frozen typed rows, refused at start with file and line when they are wrong.

A file is described by a frozen dataclass whose fields are its columns. Understood types: str, int, Decimal, date,
bool (`yes` / `no`), Literal, tuple[...] of those (joined by `;`) and `| None` (an empty cell).
"""

import csv
import hashlib
import io
import re
import types
import typing
from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterator
from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

Row = TypeVar("Row")

_INTEGER = re.compile(r"-?[0-9]{1,18}")
_DECIMAL = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,12})?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
CASES = "cases"
"""A folder within a policy: what the law is expected to answer, which is no law itself."""
_DATA_SUFFIXES = frozenset({".csv", ".yaml", ".yml", ".json"})


class PolicyError(Exception):
    """The data of law is not usable; the message names the file and the line to mend."""

    def __init__(self, path: Path, line: int, reason: str) -> None:
        super().__init__(f"{path}:{line}: {reason}")
        self.path, self.line, self.reason = path, line, reason


@dataclass(frozen=True, slots=True)
class Table(Generic[Row]):
    """The rows of one file, in file order, with the line on which each ends."""

    path: Path
    rows: tuple[Row, ...]
    lines: tuple[int, ...]

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def require(self, holds: Callable[[Row], bool], reason: str) -> None:
        """Refuse the first row for which `holds` is false. `reason` may name fields of the row: `{code}`."""
        for index, row in enumerate(self.rows):
            if not holds(row):
                raise self.error(index, reason.format_map(_named(row)))

    def error(self, index: int, reason: str) -> PolicyError:
        return PolicyError(self.path, self.lines[index], reason)


def read_table(path: Path, row_type: type[Row], *, required: Collection[str] = ("source",)) -> Table[Row]:
    """Read a CSV file with a header into rows of `row_type`.

    Raises PolicyError for an unreadable file, a missing, unknown or repeated column, a cell too many or too few,
    a value that is not of its column's type, spaces around a value, and an empty cell in a `required` column.
    """
    parsers = {name: _parser(kind) for name, kind in typing.get_type_hints(row_type).items()}
    columns = [field.name for field in fields(row_type)]  # type: ignore[arg-type]
    rows: list[Row] = []
    lines: list[int] = []
    reader = csv.reader(io.StringIO(_text(path), newline=""), strict=True)
    try:
        header = next(reader, [])
        _check_header(path, header, columns)
        for cells in reader:
            if len(cells) != len(header):
                raise PolicyError(path, reader.line_num, f"{len(cells)} cells for {len(header)} columns")
            record = dict(zip(header, cells, strict=True))
            rows.append(row_type(**_parsed(path, reader.line_num, record, parsers, required)))
            lines.append(reader.line_num)
    except csv.Error as error:
        raise PolicyError(path, reader.line_num, f"not readable as CSV: {error}") from error
    return Table(path, tuple(rows), tuple(lines))


def unique(table: Table[Row], key: Callable[[Row], Hashable]) -> None:
    """Refuse a table in which two rows have the same key."""
    seen: dict[Hashable, int] = {}
    for index, row in enumerate(table.rows):
        if (first := seen.setdefault(key(row), table.lines[index])) != table.lines[index]:
            raise table.error(index, f"{key(row)} stands already in line {first}")


def no_overlap(
    table: Table[Row], key: Callable[[Row], Hashable], valid: Callable[[Row], tuple[date | None, date | None]]
) -> None:
    """Refuse rows of one key that hold on the same day. Periods include both days; None is open."""
    periods: defaultdict[Hashable, list[tuple[date, date, int]]] = defaultdict(list)
    for index, row in enumerate(table.rows):
        first, last = valid(row)
        start, end = first or date.min, last or date.max
        if end < start:
            raise table.error(index, f"valid to {end} before it is valid from {start}")
        periods[key(row)].append((start, end, index))
    for name, spans in periods.items():
        spans.sort()
        for (_, end, earlier), (start, _, later) in pairwise(spans):
            if start <= end:
                raise table.error(later, f"{name}: in force on {start} together with line {table.lines[earlier]}")


def digest(folder: Path) -> str:
    """SHA-256 over the names and bytes of a policy folder's data files: what a decision records as its law. Its
    golden cases are left out, so that they may be added to."""
    total = hashlib.sha256()
    for path in sorted(folder.rglob("*"), key=lambda path: path.relative_to(folder).as_posix()):
        if path.is_file() and path.suffix in _DATA_SUFFIXES and CASES not in path.relative_to(folder).parts[:-1]:
            name = path.relative_to(folder).as_posix()
            total.update(f"{name}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return total.hexdigest()


def _text(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise PolicyError(path, 0, f"cannot be read: {error.strerror}") from error
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise PolicyError(path, raw.count(b"\n", 0, error.start) + 1, "not UTF-8") from error


def _check_header(path: Path, header: list[str], columns: list[str]) -> None:
    if missing := [name for name in columns if name not in header]:
        raise PolicyError(path, 1, f"missing column {', '.join(missing)}")
    if unknown := [name for name in header if name not in columns]:
        raise PolicyError(path, 1, f"unknown column {', '.join(unknown)}")
    if len(set(header)) != len(header):
        raise PolicyError(path, 1, "a column stands twice")


def _parsed(
    path: Path,
    line: int,
    record: dict[str, str],
    parsers: dict[str, Callable[[str], Any]],
    required: Collection[str],
) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, cell in record.items():
        try:
            if cell != cell.strip():
                raise ValueError("has spaces around it")
            if not cell and name in required:
                raise ValueError("is empty")
            values[name] = parsers[name](cell)
        except ValueError as error:
            raise PolicyError(path, line, f"{name}: {cell[:60]!r} {error}") from error
    return values


def _parser(kind: Any) -> Callable[[str], Any]:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType) and type(None) in arguments and len(arguments) == 2:
        inner = _parser(next(argument for argument in arguments if argument is not type(None)))
        return lambda cell: inner(cell) if cell else None
    if origin is tuple and len(arguments) == 2 and arguments[1] is Ellipsis:
        return _list_of(_parser(arguments[0]))
    if origin is Literal:
        return _one_of(arguments)
    try:
        return _SCALARS[kind]
    except KeyError:
        raise TypeError(f"no reading for a column of type {kind}") from None


def _list_of(inner: Callable[[str], Any]) -> Callable[[str], tuple[Any, ...]]:
    def read(cell: str) -> tuple[Any, ...]:
        parts = cell.split(";") if cell else []
        if any(part != part.strip() or not part for part in parts):
            raise ValueError("has an empty or padded part")
        if len(set(parts)) != len(parts):
            raise ValueError("names a part twice")
        return tuple(inner(part) for part in parts)

    return read


def _one_of(choices: tuple[str, ...]) -> Callable[[str], str]:
    def read(cell: str) -> str:
        if cell not in choices:
            raise ValueError(f"is none of {', '.join(choices)}")
        return cell

    return read


def _matching(pattern: re.Pattern[str], read: Callable[[str], Any], what: str) -> Callable[[str], Any]:
    def checked(cell: str) -> Any:
        if not pattern.fullmatch(cell):
            raise ValueError(f"is not {what}")
        try:
            return read(cell)
        except ValueError:
            raise ValueError(f"is not {what}") from None

    return checked


def _named(row: object) -> dict[str, Any]:
    return {field.name: getattr(row, field.name) for field in fields(row)}  # type: ignore[arg-type]


_SCALARS: dict[Any, Callable[[str], Any]] = {
    str: str,
    bool: lambda cell: _one_of(("yes", "no"))(cell) == "yes",
    int: _matching(_INTEGER, int, "a whole number"),
    Decimal: _matching(_DECIMAL, Decimal, "a plain decimal number"),
    date: _matching(_DATE, date.fromisoformat, "a date YYYY-MM-DD"),
}
