"""The client. A command is repeated under its key until there is an answer, so that it takes effect once."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, Self, TypeVar
from uuid import UUID, uuid4

import httpx
import msgspec

from clients.registration.errors import NoAnswer, PlaceGone, Refused
from clients.registration.models import (
    Application,
    ApplicationForm,
    ApplicationItem,
    Change,
    Changes,
    Enterprise,
    EnterpriseChange,
    EnterpriseItem,
    Judged,
    Licence,
    Line,
    Problem,
)

T = TypeVar("T")
Filter = str | int | bool | None

BUSY = frozenset({429, 503})
PAUSE_SECONDS, LONGEST_PAUSE = 0.1, 5.0
BATCH_LINES, BATCH_BYTES = 1_000, 900_000
NDJSON = "application/x-ndjson"
_encode = msgspec.json.Encoder(decimal_format="string").encode


class Registration:
    """Registration at `url`, for whoever `token` (asked for each request) speaks. `patience`: seconds for an answer."""

    def __init__(
        self, url: str, token: Callable[[], str], *, language: str = "en", patience: float = 60.0,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:  # fmt: skip
        self.token, self.patience = token, patience
        time_out = httpx.Timeout(10, read=90)  # a batch that has used up its minute waits for the next
        self.http = httpx.AsyncClient(
            base_url=url, timeout=time_out, headers={"accept-language": language}, transport=transport
        )

    async def __aenter__(self) -> Self:
        await self.http.__aenter__()
        return self

    async def __aexit__(self, *error: Any) -> None:
        await self.http.__aexit__(*error)

    # Forms

    async def submit(self, form: ApplicationForm, *, key: str | None = None) -> Judged:
        """Submit the single form. Raises Refused with every fault, NoAnswer."""
        return await self._command("/v1/applications", form, Judged, key)

    async def submit_all(self, forms: Mapping[str, ApplicationForm]) -> AsyncIterator[Line]:
        """Submit many forms, each under its key. Broken off, a batch is sent again: who ends meanwhile and calls this
        anew with the same keys goes on where it stood. Each form is answered once, in order. Raises NoAnswer."""
        for lines in _batches(forms):
            async for line in self._batch(lines):
                yield line

    async def change(self, uscc: str, change: EnterpriseChange, version: int, *, key: str | None = None) -> Judged:
        """Change registered items, from the version that was read. Raises Refused (412: somebody was faster)."""
        return await self._command(f"/v1/enterprises/{uscc}/changes", change, Judged, key, version=version)

    # What there is

    async def application(self, id: UUID) -> Application:
        return await self._read(f"/v1/applications/{id}", Application)

    def applications(self, **filters: Filter) -> AsyncIterator[ApplicationItem]:
        """Those that the caller may see, the latest first: `status`, `q`, `since`, `until`."""
        return self._pages("/v1/applications", ApplicationItem, filters)

    async def enterprise(self, uscc: str) -> Enterprise:
        return await self._read(f"/v1/enterprises/{uscc}", Enterprise)

    def enterprises(self, **filters: Filter) -> AsyncIterator[EnterpriseItem]:
        """Those that the caller may see: `q`, `area`, `activity`, `capital`, `since`, `until`, `deregistered`."""
        return self._pages("/v1/enterprises", EnterpriseItem, filters)

    async def licence(self, uscc: str) -> Licence:
        return await self._read(f"/v1/enterprises/{uscc}/licence", Licence)

    # The feed

    async def changes(self, cursor: str | None = None, *, start: str = "beginning", limit: int = 200) -> Changes:
        """A page of what has changed. Raises PlaceGone."""
        asked: dict[str, Filter] = {"limit": limit, "start": start} if cursor is None else {"limit": limit}
        return await self._read("/v1/changes", Changes, {**asked, "cursor": cursor})

    async def follow(self, cursor: str | None = None, *, every: float = 1.0) -> AsyncIterator[tuple[str, Change]]:
        """What has changed and what will, for ever; keep the cursor that came with the last of a page you have dealt
        with, and nothing is lost. What is dealt with twice after a break has the same id."""
        while True:
            page = await self.changes(cursor)
            for number, change in enumerate(page.items, 1):
                yield (page.next if number == len(page.items) else cursor or ""), change
            cursor = page.next
            if not page.more:
                await asyncio.sleep(every)

    # How it is said

    async def _command(
        self, path: str, body: Any, answers: type[T], key: str | None, *, version: int | None = None
    ) -> T:  # fmt: skip
        headers = {"idempotency-key": key or str(uuid4()), "content-type": "application/json"}
        if version is not None:
            headers["if-match"] = f'"{version}"'
        content = _encode(body)
        return await self._until_answered(
            lambda: self.http.post(path, content=content, headers=self._signed(headers)), answers
        )

    async def _read(self, path: str, answers: type[T], query: Mapping[str, Filter] | None = None) -> T:
        given = {name: value for name, value in (query or {}).items() if value is not None}
        return await self._until_answered(lambda: self.http.get(path, params=given, headers=self._signed({})), answers)

    async def _pages(self, path: str, answers: type[T], filters: Mapping[str, Filter]) -> AsyncIterator[T]:
        cursor: str | None = None
        while True:
            page = await self._read(path, dict[str, Any], {**filters, "cursor": cursor})
            for item in msgspec.convert(page["items"], list[answers]):  # type: ignore[valid-type]
                yield item
            if (cursor := page["next"]) is None:
                return

    async def _until_answered(self, ask: Callable[[], Any], answers: type[T]) -> T:
        deadline = time.monotonic() + self.patience
        while time.monotonic() < deadline:
            try:
                answer: httpx.Response | None = await ask()
            except httpx.TransportError:
                answer = None
            if answer is not None and answer.is_success:
                return msgspec.json.decode(answer.content, type=answers)
            if answer is not None and not _comes_later(answer):
                problem = msgspec.json.decode(answer.content, type=Problem)
                raise (PlaceGone if answer.status_code == httpx.codes.GONE else Refused)(problem)
            await asyncio.sleep(_pause(answer))
        raise NoAnswer(f"no answer within {self.patience:.0f} s")

    async def _batch(self, lines: Mapping[str, bytes]) -> AsyncIterator[Line]:
        """Send lines until each has an answer. Whoever makes headway has time anew."""
        left, deadline = dict(lines), time.monotonic() + self.patience
        while left:
            if time.monotonic() > deadline:
                raise NoAnswer(f"{len(left)} forms had no answer within {self.patience:.0f} s")
            try:
                async for line in self._sent(left):
                    if line.status in BUSY or (line.problem and line.problem.name == "idempotency-in-flight"):
                        break  # those after it wait, so that the answers stay in order
                    del left[line.key]
                    deadline = time.monotonic() + self.patience
                    yield line
            except httpx.TransportError:
                pass
            if left:
                await asyncio.sleep(_pause(None))

    async def _sent(self, lines: Mapping[str, bytes]) -> AsyncIterator[Line]:
        headers = self._signed({"idempotency-key": str(uuid4()), "content-type": NDJSON})
        content = b"".join(lines.values())
        async with self.http.stream("POST", "/v1/applications:batch", content=content, headers=headers) as answer:
            if answer.status_code in BUSY:
                return
            if not answer.is_success:
                raise Refused(msgspec.json.decode(await answer.aread(), type=Problem))
            async for text in answer.aiter_lines():
                found = msgspec.json.decode(text)
                if "key" in found:
                    yield _line(found)

    def _signed(self, headers: Mapping[str, str]) -> dict[str, str]:
        return {**headers, "authorization": f"Bearer {self.token()}"}


def _batches(forms: Mapping[str, ApplicationForm]) -> list[dict[str, bytes]]:
    """Lines by key, in parts that one request may hold."""
    parts: list[dict[str, bytes]] = []
    size = 0
    for key, form in forms.items():
        line = _encode({"key": key, "form": form}) + b"\n"
        if not parts or len(parts[-1]) == BATCH_LINES or size + len(line) > BATCH_BYTES:
            parts.append({})
            size = 0
        parts[-1][key] = line
        size += len(line)
    return parts


def _line(found: Mapping[str, Any]) -> Line:
    ok = 200 <= found["status"] < 300
    given = {name: found[name] for name in ("key", "status", "replayed")}
    if ok:
        return Line(**given, judged=msgspec.convert(found["answer"], Judged, strict=False))
    return Line(**given, problem=msgspec.convert(found["answer"], Problem, strict=False))


def _comes_later(answer: httpx.Response) -> bool:
    if answer.status_code == httpx.codes.CONFLICT:
        return str(answer.json().get("type", "")).endswith(":idempotency-in-flight")
    return answer.status_code in BUSY


def _pause(answer: httpx.Response | None) -> float:
    asked = answer.headers.get("retry-after", "") if answer is not None else ""
    return min(float(asked), LONGEST_PAUSE) if asked.isdigit() else PAUSE_SECONDS * (1 + random.random())
