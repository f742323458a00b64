"""Many requests of one kind in one: a line of NDJSON for each, answered line by line as they are done.

A line is the very request that it would be alone: same rights, limits and checks, a transaction and an Idempotency-Key
of its own. So a batch that broke is sent again as it was: what stands is answered from its keys, the rest is done.
"""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from typing import Any

import httpx
from fastapi import Request, Response
from fastapi.responses import StreamingResponse
from fastapi.routing import APIRoute

from libs.common.idempotency import KEY
from libs.common.problems import Fault, Problem, field_name
from libs.common.web.body import media_type, read_json
from libs.common.web.commands import CommandRoute
from libs.common.web.limits import NDJSON
from libs.common.web.rights import admit, rights_of
from libs.common.web.running import Running, running, spoken_by

MAX_LINES = 5_000
AT_ONCE = 4
"""Lines under way at a time; they are answered in their order all the same."""
CARRIED = ("authorization", "accept-language", "traceparent")
LONGEST_KEY = 255 - len(f".{MAX_LINES}")

Answer = dict[str, Any]


class BatchRoute(CommandRoute):
    """Asks for the caller's rights and a key as any command does; the transactions are those of its lines."""

    def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:  # type: ignore[override]
        handle, rights = APIRoute.get_route_handler(self), rights_of(self.dependant, self.path)

        async def answer(request: Request) -> Response:
            await admit(request, rights)
            return await handle(request)

        return answer


async def answered_by_line(request: Request, path: str) -> StreamingResponse:
    """Send each line of the body to `path` (POST) under its key: the line's own, or the batch's with its number."""
    key = _batch_key(request)
    if media_type(request) != NDJSON:
        raise Problem("not-ndjson", 415)
    lines = list(_numbered(await request.body()))
    return StreamingResponse(_answers(request, path, key, lines), media_type=NDJSON)


def _batch_key(request: Request) -> str:
    keys = request.headers.getlist("idempotency-key")
    if not keys:
        raise Problem("idempotency-key-missing", 400)
    if len(keys) > 1 or not KEY.fullmatch(keys[0]) or len(keys[0]) > LONGEST_KEY:
        raise Problem("idempotency-key-malformed", 400)
    return keys[0]


def _numbered(body: bytes) -> Iterator[tuple[int, bytes]]:
    """The lines that are not empty, each with the number that it has in the body."""
    count = 0
    for number, line in enumerate(body.split(b"\n"), 1):
        if line.strip():
            count += 1
            if count > MAX_LINES:
                raise Problem("too-many-lines", 413, params={"limit": MAX_LINES})
            yield number, line


async def _answers(request: Request, path: str, key: str, lines: list[tuple[int, bytes]]) -> AsyncIterator[bytes]:
    """A line for each, in order, and a last one that says that these were all. Where the reader is gone or the service
    ends, it breaks off between lines."""
    run, headers = running(request), {name: request.headers[name] for name in CARRIED if name in request.headers}
    address = (request.client.host, request.client.port) if request.client else ("", 0)
    window: deque[asyncio.Task[Answer]] = deque()
    transport = httpx.ASGITransport(request.app, raise_app_exceptions=False, client=address)
    async with httpx.AsyncClient(transport=transport, base_url=str(request.base_url), headers=headers) as client:
        try:
            for number, line in lines:
                if run.stopping.is_set():
                    return
                window.append(asyncio.create_task(_one(request, client, path, f"{key}.{number}", number, line)))
                if len(window) == AT_ONCE:
                    yield _written(await window.popleft())
            while window:
                yield _written(await window.popleft())
            yield _written({"done": True, "lines": len(lines)})
        finally:
            for task in window:
                task.cancel()


async def _one(
    request: Request, client: httpx.AsyncClient, path: str, key: str, number: int, line: bytes
) -> Answer:  # fmt: skip
    run = running(request)
    try:
        own_key, form = _read(line)
    except Problem as problem:
        body = problem.body(spoken_by(request), request.app.state.catalogue)
        return {"line": number, "key": key, "status": problem.status, "replayed": False, "answer": body}
    key = own_key or key
    headers = {"idempotency-key": key, "content-type": "application/json"}
    answer = await client.post(path, content=form, headers=headers)
    while answer.status_code == httpx.codes.TOO_MANY_REQUESTS and not run.stopping.is_set():
        await _wait(run, float(answer.headers["retry-after"]))  # a batch is no way around the rate: it takes its time
        answer = await client.post(path, content=form, headers=headers)
    replayed = answer.headers.get("idempotency-replayed") == "true"
    return {"line": number, "key": key, "status": answer.status_code, "replayed": replayed, "answer": answer.json()}


def _read(line: bytes) -> tuple[str | None, bytes]:
    """The key that a line gives itself, and its form as it is sent on. Raises Problem."""
    value = read_json(line)
    if not isinstance(value, dict) or not isinstance(value.get("form"), dict):
        raise Problem("malformed", 422, [Fault("form", "missing")])
    if unknown := sorted(set(value) - {"form", "key"}):
        raise Problem("malformed", 422, [Fault(field_name(name), "extra_forbidden") for name in unknown])
    key = value.get("key")
    if key is not None and not (isinstance(key, str) and KEY.fullmatch(key)):
        raise Problem("malformed", 422, [Fault("key", "line_key_malformed")])
    return key, json.dumps(value["form"], separators=(",", ":")).encode()


async def _wait(run: Running, seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(run.stopping.wait(), seconds)


def _written(answer: Answer) -> bytes:
    return json.dumps(answer, ensure_ascii=False).encode() + b"\n"
