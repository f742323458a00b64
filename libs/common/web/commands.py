"""What a route of a service is given, and how a command runs: one transaction under its Idempotency-Key."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Annotated, Any, cast

import asyncpg
from fastapi import APIRouter, Depends, Request, Response
from fastapi.routing import APIRoute
from sqlmodel.ext.asyncio.session import AsyncSession

from libs.common import audit, idempotency
from libs.common.clock import Clock, for_one_act
from libs.common.database import reading
from libs.common.idempotency import Answer
from libs.common.identity import Caller
from libs.common.problems import Language, Problem
from libs.common.transaction import retried
from libs.common.web.body import JsonRequest, has_json, media_type
from libs.common.web.documents import PROBLEM_RESPONSES
from libs.common.web.limits import DOCUMENTS
from libs.common.web.rights import admit, described, rights_of
from libs.common.web.running import COMMANDS, language, running

ANONYMOUS = "anonymous"
"""All who use an open route without a token share one name for their keys."""


# All of these are coroutines: FastAPI would send plain functions to a thread.


async def _session(request: Request) -> AsyncSession:
    return cast(AsyncSession, request.state.session)


async def _reading(request: Request) -> AsyncIterator[asyncpg.Connection]:
    async with reading(running(request).database) as connection:
        yield connection


async def _clock(request: Request) -> Clock:
    return for_one_act(running(request).clock)


InTransaction = Annotated[AsyncSession, Depends(_session)]
"""The session of the command's transaction, which the route commits before it answers."""
Reading = Annotated[asyncpg.Connection, Depends(_reading, scope="function")]
TheClock = Annotated[Clock, Depends(_clock)]
TheLanguage = Annotated[Language, Depends(language)]


class CommandRoute(APIRoute):
    """Who may not use a route learns nothing else of it. A command is one transaction under its Idempotency-Key; it is
    committed before the answer goes out."""

    changes = True

    @staticmethod
    async def readable(request: JsonRequest) -> None:
        await _readable(request)

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        super().__init__(path, endpoint, **options)
        asks = {} if self.changes else {"x-question": True}
        self.openapi_extra = {**(self.openapi_extra or {}), **described(rights_of(self.dependant, path)), **asks}

    def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:  # type: ignore[override]
        handle = super().get_route_handler()
        rights = rights_of(self.dependant, self.path)
        is_command = bool(COMMANDS.intersection(self.methods or ()))

        async def answer(request: Request) -> Response:
            caller = await admit(request, rights)
            if not is_command:
                return await handle(request)
            asked = JsonRequest(request.scope, request.receive)
            return await (
                _command(asked, handle, caller, self.path_format, self.readable)
                if self.changes
                else _question(asked, handle)
            )

        return answer


class UploadRoute(CommandRoute):
    """A command whose body is a file, as it is."""

    @staticmethod
    async def readable(request: JsonRequest) -> None:
        """What is no file of a type that people supply is refused before it costs a connection."""
        if media_type(request) not in DOCUMENTS:
            raise Problem("not-a-document", 415)


class QuestionRoute(CommandRoute):
    """A question that is too long for an address and so comes as a body. Nothing changes: it has no key, no transaction
    and no audit, and leaves nothing behind."""

    changes = False


def router(prefix: str = "/v1", route_class: type[CommandRoute] = CommandRoute) -> APIRouter:
    return APIRouter(prefix=prefix, route_class=route_class, responses=PROBLEM_RESPONSES)


async def _question(request: JsonRequest, handle: Callable[[Request], Awaitable[Response]]) -> Response:
    await _readable(request)
    return await handle(request)


async def _readable(request: JsonRequest) -> None:
    """A body is JSON or nothing; what cannot be read is refused before it costs a connection."""
    if await request.body():
        if not has_json(request):
            raise Problem("unsupported-media-type", 415)
        await request.json()


async def _command(
    request: JsonRequest, handle: Callable[[Request], Awaitable[Response]], caller: Caller | None, path_format: str,
    readable: Callable[[JsonRequest], Awaitable[None]],
) -> Response:  # fmt: skip
    # The path as it was sent: ASCII, so that it can be kept whatever it decodes to, and two paths never share a name.
    path = request.scope["raw_path"].decode("ascii", "backslashreplace")
    route, keys = f"{request.method} {path}", request.headers.getlist("idempotency-key")
    body = await request.body()
    claim = idempotency.claim_of(caller.subject if caller else ANONYMOUS, route, keys, body)
    await readable(request)

    async def act(session: AsyncSession) -> Response:
        if stored := await idempotency.answered(session, claim):
            headers = {**stored.headers, "idempotency-replayed": "true"}
            return Response(stored.body, stored.status, headers)
        request.state.session = session
        response = await handle(request)
        if response.status_code < 300:
            await session.flush()
            answer = Answer(response.status_code, bytes(response.body), dict(response.headers))
            await idempotency.store(session, claim, answer)
            await audit.add(
                session, caller, f"{request.method} {path_format}", request.url.path, running(request).clock,
                status=response.status_code,
            )  # fmt: skip
        return response

    return await retried(running(request).database, act)
