"""What an edition means for the register."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import Query, Request
from fastapi.responses import StreamingResponse

from libs.common.database import Database, connect
from libs.common.export import CSV, Column, Page, as_csv
from libs.common.identity import Caller
from libs.common.web import allowed, router
from libs.common.web.fields import Day
from libs.common.web.running import running
from services.registration import use_cases
from services.registration.api.arguments import ThePolicy
from services.registration.domain.impact import LawOn

api = router()
Reader = Annotated[Caller, allowed("registrar", "regulator", "auditor")]
Before = Annotated[Day, Query(examples=["2024-10-31"], description="A day under the one edition.")]
After = Annotated[Day, Query(examples=["2024-11-01"], description="A day under the other.")]
AT_ONCE = 250
"""Judged between two looks at other requests: some 10 ms."""
COLUMNS = [Column(name, "text") for name in use_cases.IMPACT_COLUMNS]
FILE: dict[str, Any] = {
    CSV: {
        "schema": {"type": "string"},
        "example": "# before: 2024-10-31; after: 2024-11-01; policy: 885d4f…\r\n"
        "subject,id,move,before,after,activities,items_before,items_after\r\n"
        "enterprise,91310106MA0000015B,outside,refused,accepted,2311,2021/national/6/1,\r\n",
    }
}


@api.get("/edition-impact", tags=["screenings"], response_class=StreamingResponse, responses={200: {"content": FILE}})
async def read_edition_impact(
    request: Request, _: Reader, law: ThePolicy, before: Before, after: After
) -> StreamingResponse:
    """Enterprises and open applications that the law of one day and that of another judge differently: newly inside
    the list, newly outside it, or asked something else. CSV over one moment of the database, sent as it is judged."""
    laws = LawOn(law, before), LawOn(law, after)
    remark = f"before: {before}; after: {after}; policy: {law.digest}"
    content = as_csv(COLUMNS, _pages(running(request).database, *laws), remark)
    headers = {"content-disposition": f'attachment; filename="impact-{after}.csv"', "cache-control": "no-store"}
    return StreamingResponse(content, media_type=CSV, headers=headers)


async def _pages(database: Database, before: LawOn, after: LawOn) -> AsyncIterator[Page]:
    connection = await connect(database, idle_in_transaction_session_timeout="60s", statement_timeout="60s")
    try:
        async for found in use_cases.edition_impact(connection, before, after, AT_ONCE):
            yield [use_cases.moved_cells(one) for one in found.moved]
    finally:
        await connection.close(timeout=5)
