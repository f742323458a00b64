"""HTTP: enterprises searched by what they are and how they stand, and the same as a file."""

from collections.abc import AsyncIterator
from typing import Annotated, Literal

from fastapi import Depends, Query, Request
from fastapi.responses import StreamingResponse

from libs.common.database import Database, connect
from libs.common.export import CSV, PARQUET, Column, Page, as_csv, as_parquet
from libs.common.web import Looking, Reading, router
from libs.common.web.cursors import Cursor, Limit, after, written
from libs.common.web.running import running
from services.risk import scorecards
from services.risk.api.enterprises import Regulator
from services.risk.domain import RiskClass, Scorecard
from services.risk.repository import overrides
from services.risk.repository import search as repository
from services.risk.repository.search import Filters
from services.risk.schemas.enterprises import NOTICE
from services.risk.schemas.search import FoundView, SearchView, filters

api = router()

Wanted = Annotated[Filters, Depends(filters)]
Form = Annotated[Literal["csv", "parquet"], Query(examples=["csv"])]
ROWS_AT_ONCE = 5_000

COLUMNS = (
    Column("uscc", "text"), Column("score", "integer"), Column("risk_class", "text"), Column("assessed_on", "date"),
    Column("division", "integer"), Column("area", "text"), Column("foreign_invested", "boolean"),
    Column("class_changed_on", "date"),
)  # fmt: skip
FILE = {
    CSV: {"schema": {"type": "string"}, "example": f"# {NOTICE}\r\nuscc,score,risk_class,...\r\n"},
    PARQUET: {"schema": {"type": "string", "format": "binary"}, "example": "PAR1..."},
}


@api.get("/risk/enterprises", tags=["risk"])
async def search_enterprises(
    _: Regulator, looking: Looking, reading: Reading, wanted: Wanted, cursor: Cursor = None, limit: Limit = 50
) -> SearchView:
    """Enterprises by class, sector, area, indicator, ownership and last change of the class, by USCC. Every page that
    is read is recorded with its purpose."""
    await looking.record()
    (behind,) = after(cursor, str) or ("",)
    scorecard = await scorecards.read_in_force(reading) if wanted.indicator else None
    rows, last = await repository.search(reading, wanted, scorecard, behind, limit)
    beside = await overrides.in_force(reading, [row["uscc"] for row in rows])
    return SearchView(
        items=[FoundView.of(dict(row), beside) for row in rows], next=None if last is None else written([last])
    )


@api.get("/risk/export", tags=["risk"], response_class=StreamingResponse, responses={200: {"content": FILE}})
async def export_enterprises(
    request: Request, _: Regulator, looking: Looking, reading: Reading, wanted: Wanted, form: Form = "csv"
) -> StreamingResponse:
    """What the search finds, as one file: CSV, or Parquet. All of it is one moment of the database, and it is sent as
    it is read. The first line, or the metadata of the file, says what it is for; the export is recorded."""
    await looking.record()
    scorecard = await scorecards.read_in_force(reading)
    pages = _pages(running(request).database, wanted, scorecard)
    remark = {"notice": NOTICE, "purpose": looking.purpose, "scorecard": scorecard.digest}
    said = "; ".join(f"{name}: {text}" for name, text in remark.items())
    content, media_type = (
        (as_csv(COLUMNS, pages, said), CSV) if form == "csv" else (as_parquet(COLUMNS, pages, remark), PARQUET)
    )
    headers = {"content-disposition": f'attachment; filename="risk.{form}"', "cache-control": "no-store"}
    return StreamingResponse(content, media_type=media_type, headers=headers)


async def _pages(database: Database, wanted: Filters, scorecard: Scorecard) -> AsyncIterator[Page]:
    """A cursor in the server over one snapshot. Who reads too slowly loses it, so that no old snapshot stays open."""
    connection = await connect(database, idle_in_transaction_session_timeout="60s", statement_timeout="60s")
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            query, values = repository.export_query(wanted, scorecard)
            found = await connection.cursor(query, *values)
            while rows := await found.fetch(ROWS_AT_ONCE):
                yield [(*row[:2], RiskClass(row[2]).name, *row[3:]) for row in rows]
    finally:
        await connection.close(timeout=5)
