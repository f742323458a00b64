"""What an operator watches: how far each service has come, what stands aside, and what was mended."""

from datetime import datetime
from typing import Annotated

from fastapi import Request, Response

from libs.common.database import reading
from libs.common.identity import Caller
from libs.common.web import allowed
from libs.common.web.running import running
from services.lobby import asking, repository, views
from services.lobby.rendering import page
from services.lobby.route import pages
from services.lobby.words import N_

routes = pages()

Operator = Annotated[Caller, allowed("operator")]
WATCHED = ("registration", "licensing", "supervision", "credit", "risk", "lobby")
REPORTS_OF_EACH = 10
KINDS = {
    "rebuild": N_("Rebuilt from the topics and compared"),
    "restore": N_("Found restored to an older state"),
    "reconcile": N_("Reconciled with the topics"),
    "disposition": N_("A person decided about a parked event"),
}
OUTCOMES = {
    "equal": N_("Equal"), "different": N_("Different"), "refused": N_("Refused to start"), "mended": N_("Mended"),
    "carried_out": N_("Carried out"),
}  # fmt: skip


@routes.get("/{lang:language}/operations")
async def operations(request: Request, _: Operator) -> Response:
    """Lag, what is unsent and due, every parked event with the words of its error, and the newest recovery reports."""
    progress, away = await asking.every({name: asking.get(request, name, "/health/progress") for name in WATCHED})
    parked, _more = await asking.every({name: asking.get(request, name, "/v1/parked") for name in WATCHED})
    reports, _silent = await asking.every(
        {name: asking.get(request, name, "/v1/recovery-reports", limit=REPORTS_OF_EACH) for name in WATCHED}
    )
    told = [{**row, "service": name} for name in WATCHED for row in asking.items(reports, name)]
    async with reading(running(request).database) as connection:
        rows = await connection.fetch(repository.OF_NOBODY)
    return page(
        request, "operations.html", watched=WATCHED, progress=progress, away=away,
        parked=[{**row, "service": name} for name in WATCHED for row in asking.items(parked, name)],
        reports=sorted(told, key=lambda row: datetime.fromisoformat(row["at"]), reverse=True), kinds=KINDS,
        outcomes=OUTCOMES, lines=views.lines(map(dict, rows), staff=True),
    )  # fmt: skip
