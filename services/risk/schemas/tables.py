"""A scorecard as CSV tables made into its document: every fault is named by file and line, all of them at once."""

import csv
import io
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from libs.common.problems import Fault
from services.risk.domain import ScorecardError
from services.risk.schemas.scorecards import ScorecardDocument, TablesForm

BASIS = ("valid_from", "source", "confidence")
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "rules": ("rule", "indicator", "cap", "required", *BASIS),
    "steps": ("rule", "value_from", "value_below", "within_months", "points", "at_least", *BASIS),
    "bands": ("risk_class", "from_score", *BASIS),
    "sectors": ("sector", "industry_from", "industry_below", *BASIS),
}
OF_A_SECTOR = frozenset({"rules", "bands"})
"""Tables that may have a column `sector`; where it is empty the row is general."""

WHOLE = re.compile(r"-?[0-9]{1,18}")
NUMBERS = frozenset(
    {"cap", "value_from", "value_below", "within_months", "points", "from_score", "industry_from", "industry_below"}
)
YES_NO = {"yes": True, "no": False}

Row = dict[str, Any]


class TablesUnfit(Exception):
    """The tables are no scorecard; with all that is wrong, each with its file and line."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__(f"{len(faults)} faults")
        self.faults = faults


@dataclass(slots=True)
class Reader:
    """What has been found so far. `places`: the file and line of each row, by the row's path in the document."""

    faults: list[Fault] = field(default_factory=list)
    places: dict[str, str] = field(default_factory=dict)

    def place_of(self, path: Sequence[int | str]) -> str:
        """The line that a path of the document came from, with the column where the path goes into the row."""
        for length in range(len(path), 0, -1):
            place = self.places.get(".".join(map(str, path[:length])))
            if place is not None:
                return ".".join([place, *map(str, path[length:])])
        return ".".join(map(str, path))


def document_of(form: TablesForm) -> tuple[ScorecardDocument, Reader]:
    """The document that the tables hold, and where its rows stand. Raises TablesUnfit."""
    reader = Reader()
    tables = {name: _rows(reader, name, getattr(form, name) or "") for name in COLUMNS if getattr(form, name)}
    raw = _assembled(reader, form.name, tables)
    try:
        document = ScorecardDocument.model_validate(raw)
    except ValidationError as error:
        for found in error.errors(include_input=False, include_url=False):
            params = {**(found.get("ctx") or {})}
            reader.faults.append(Fault(reader.place_of(found["loc"]), str(found["type"]), params))
        raise TablesUnfit(reader.faults) from error
    if reader.faults:
        raise TablesUnfit(reader.faults)
    return document, reader


def told_by_line(error: ScorecardError, reader: Reader) -> TablesUnfit:
    """The defects of a document, named by the lines that it was made from."""
    faults = []
    for defect in error.defects:
        params = dict(defect.params)
        if isinstance(other := params.get("at"), str):
            params["at"] = reader.place_of(other.split("."))
        faults.append(Fault(reader.place_of(defect.at.split(".")) if defect.at else "", defect.code, params))
    return TablesUnfit(faults)


def _rows(reader: Reader, name: str, text: str) -> list[tuple[str, Row]]:
    """The rows of one table with their places. A row that cannot be read is a fault, and the next one is read."""
    lines = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[tuple[str, Row]] = []
    try:
        header = next(lines, [])
        if not _has_columns(reader, name, header):
            return rows
        for cells in lines:
            place = f"{name}.csv:{lines.line_num}"
            if len(cells) != len(header):
                reader.faults.append(Fault(place, "csv_cells", {"cells": len(cells), "columns": len(header)}))
                continue
            rows.append((place, {column: _value(column, cell) for column, cell in zip(header, cells, strict=True)}))
    except csv.Error:
        reader.faults.append(Fault(f"{name}.csv:{lines.line_num}", "csv_unreadable"))
    return rows


def _has_columns(reader: Reader, name: str, header: Sequence[str]) -> bool:
    wanted, optional = set(COLUMNS[name]), {"sector"} if name in OF_A_SECTOR else set()
    missing, unknown = wanted - set(header), set(header) - wanted - optional
    if missing:
        reader.faults.append(Fault(f"{name}.csv:1", "csv_columns_missing", {"columns": ", ".join(sorted(missing))}))
    if unknown or len(set(header)) != len(header):
        allowed = ", ".join(sorted(wanted | optional))
        reader.faults.append(Fault(f"{name}.csv:1", "csv_columns_unknown", {"columns": allowed}))
    return not missing and not unknown and len(set(header)) == len(header)


def _value(column: str, cell: str) -> Any:
    """A cell as the document has it. What cannot be read stays as it is, and the document's own check tells."""
    if column in NUMBERS:
        return int(cell) if WHOLE.fullmatch(cell) else cell or None
    if column == "required":
        return YES_NO.get(cell, cell)
    return (cell or None) if column == "at_least" else cell


def _assembled(reader: Reader, name: str, tables: Mapping[str, list[tuple[str, Row]]]) -> Row:
    """The document, unchecked; rows find their rule and their sector by name."""
    dates = _only_date(reader, tables)
    parts: dict[str, tuple[str, Row]] = {"": ("", {"rules": [], "bands": []})}
    sectors: list[Row] = []
    for place, row in tables.get("sectors", ()):
        sector = row.pop("sector")
        bounds = [row.pop("industry_from"), row.pop("industry_below")]
        if sector not in parts:
            sectors.append({"name": sector, "industries": [], "rules": [], "bands": [], **row})
            path = f"sectors.{len(sectors) - 1}"
            parts[sector], reader.places[path] = (f"{path}.", sectors[-1]), place
        prefix, part = parts[sector]
        reader.places[f"{prefix}industries.{len(part['industries'])}"] = place
        part["industries"].append(bounds)
    rules: dict[str, tuple[str, Row]] = {}
    for place, row in tables.get("rules", ()):
        row["name"] = row.pop("rule")
        if (stands := _put(reader, parts, "rules", place, row)) is not None:
            row["steps"] = []
            rules.setdefault(row["name"], (stands, row))
    for place, row in tables.get("bands", ()):
        _put(reader, parts, "bands", place, row)
    for place, row in tables.get("steps", ()):
        if (found := rules.get(row.pop("rule"))) is None:
            reader.faults.append(Fault(place, "csv_no_such_rule"))
            continue
        path, rule = found
        reader.places[f"{path}.steps.{len(rule['steps'])}"] = place
        rule["steps"].append(row)
    return {"name": name, "valid_from": dates, **parts[""][1], "sectors": sectors}


def _put(reader: Reader, parts: Mapping[str, tuple[str, Row]], kind: str, place: str, row: Row) -> str | None:
    """Put a row into the part that it names; the path where it stands, or None where there is no such part."""
    found = parts.get(row.pop("sector", "") or "")
    if found is None:
        reader.faults.append(Fault(place, "csv_no_such_sector"))
        return None
    prefix, part = found
    path = f"{prefix}{kind}.{len(part[kind])}"
    reader.places[path] = place
    part[kind].append(row)
    return path


def _only_date(reader: Reader, tables: Mapping[str, list[tuple[str, Row]]]) -> Any:
    """A scorecard is put in force as a whole, so its rows hold from one day."""
    days: defaultdict[Any, list[str]] = defaultdict(list)
    for rows in tables.values():
        for place, row in rows:
            days[row.pop("valid_from")].append(place)
    if not days:
        return None
    first = next(iter(days))
    for day, places in days.items():
        if day != first:
            reader.faults += [Fault(place, "valid_from_differs") for place in places]
    return first
