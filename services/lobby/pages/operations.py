"""What an operator watches: how far each service has come, and what stands aside."""

from typing import Annotated

from fastapi import Request, Response

from libs.common.database import reading
from libs.common.identity import Caller
from libs.common.web import allowed
from libs.common.web.running import running
from services.lobby import asking, repository, views
from services.lobby.rendering import page
from services.lobby.route import pages

routes = pages()

Operator = Annotated[Caller, allowed("operator")]
WATCHED = ("registration", "licensing", "supervision", "credit", "risk", "lobby")


@routes.get("/{lang:language}/operations")
async def operations(request: Request, _: Operator) -> Response:
    """Lag, what is unsent and due, and every parked event with the words of its error."""
    progress, away = await asking.every({name: asking.get(request, name, "/health/progress") for name in WATCHED})
    parked, _more = await asking.every({name: asking.get(request, name, "/v1/parked") for name in WATCHED})
    async with reading(running(request).database) as connection:
        rows = await connection.fetch(repository.OF_NOBODY)
    return page(
        request, "operations.html", watched=WATCHED, progress=progress, away=away,
        parked=[{**row, "service": name} for name in WATCHED for row in asking.items(parked, name)],
        lines=views.lines(map(dict, rows), staff=True),
    )  # fmt: skip
