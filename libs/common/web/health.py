"""What operators and time travel ask of a service: does it live, can it work, how far has it come."""

import asyncio
import math
import shutil
import time
from collections.abc import Awaitable, Mapping
from datetime import UTC, date, datetime
from typing import Any, TypeVar

from aiokafka.errors import KafkaError
from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel, ConfigDict

from libs.common import signature
from libs.common.database import is_database_error, reading
from libs.common.problems import Problem
from libs.common.settings import Refused
from libs.common.signature import NoSigningKey
from libs.common.telemetry import (
    AUDIT_OLDEST,
    AUDIT_UNSEALED,
    CLOCK_OFF,
    CONSUMER_LAG,
    DATABASE_ANSWERS,
    DEAD_LETTERS,
    DISK_FREE,
    DUE_FAILING,
    DUE_OVERDUE,
    OUTBOX_OLDEST,
    OUTBOX_UNSENT,
    PARKED,
    SIGNING_KEY,
)
from libs.common.web.documents import PROBLEM_RESPONSES, example
from libs.common.web.running import Running, running

T = TypeVar("T")

UNSENT = """
outbox WHERE NOT adopted AND (
    id > coalesce((SELECT high FROM relay_progress), 0)
    OR id IN (SELECT jsonb_object_keys(missing)::bigint FROM relay_progress))
"""
PROGRESS = f"""
SELECT (SELECT count(*) FROM due WHERE on_date <= $1) AS due_now,
    (SELECT min(on_date) FROM due WHERE on_date > $1) AS next_due_on,
    (SELECT count(*) FROM {UNSENT}) AS unsent,
    (SELECT count(*) FROM parked WHERE state IN ('waiting', 'failed', 'forked')) AS parked,
    (SELECT count(*) FROM dead_letter) AS dead_letters
"""
BACKLOG = f"""
SELECT count(*) AS unsent, coalesce(extract(epoch FROM now() - min(created_at)), 0)::float8 AS oldest,
    (SELECT count(*) FROM parked WHERE state = 'waiting') AS waiting,
    (SELECT count(*) FROM parked WHERE state = 'failed') AS failed,
    (SELECT count(*) FROM parked WHERE state = 'forked') AS forked,
    (SELECT count(*) FROM audit WHERE number IS NULL) AS unsealed,
    (SELECT coalesce(extract(epoch FROM now() - min(at)), 0)::float8 FROM audit WHERE number IS NULL)
        AS oldest_unsealed,
    (SELECT count(*) FROM dead_letter) AS dead_letters,
    (SELECT count(*) FROM due WHERE attempts > 0) AS due_failing,
    (SELECT coalesce($1 - min(on_date), 0) FROM due WHERE on_date <= $1 AND attempts = 0) AS due_overdue,
    extract(epoch FROM clock_timestamp())::float8 AS clock
FROM {UNSENT}
"""
FIGURES = (
    "unsent", "oldest", "waiting", "failed", "forked", "unsealed", "oldest_unsealed", "dead_letters", "due_failing",
    "due_overdue", "clock",
)  # fmt: skip
UNKNOWN = dict.fromkeys(FIGURES, math.nan)

PROGRESS_EXAMPLE: dict[str, Any] = {
    "service": "registration", "business_date": "2026-01-05", "due_now": 0, "next_due_on": None, "unsent": 0,
    "lag": 0, "parked": 0, "dead_letters": 0,
}  # fmt: skip
METRICS_EXAMPLE: dict[str, Any] = {
    "content": {"text/plain": {"example": 'events_sent_total{service="registration"} 3.0\n'}},
}


class State(BaseModel):
    """Whether the service lives, or is ready; otherwise what it waits for."""

    status: str


class Progress(BaseModel):
    """What is still to be done: acts due, events unsent, records unread (`lag`), and what stands aside."""

    model_config = ConfigDict(json_schema_extra={"examples": [PROGRESS_EXAMPLE]})

    service: str
    business_date: date
    due_now: int
    next_due_on: date | None
    unsent: int
    lag: int
    parked: int
    dead_letters: int


def health() -> APIRouter:
    routes = APIRouter(tags=["health"])

    @routes.get("/health/live", responses={200: example({"status": "live"})})
    async def live() -> State:
        """The process runs."""
        return State(status="live")

    waiting = {"model": State, "description": "Not yet", **example({"status": "waiting for the database"})}

    @routes.get("/health/ready", responses={200: example({"status": "ready"}), 503: waiting})
    async def ready(request: Request, response: Response) -> State:
        """The service can do its work: its database answers."""
        try:
            async with asyncio.timeout(2), reading(running(request).database) as connection:
                await connection.fetchval("SELECT 1")
        except Exception:
            response.status_code = 503
            return State(status="waiting for the database")
        return State(status="ready")

    @routes.get("/health/progress", responses={503: PROBLEM_RESPONSES[503]})
    async def progress(request: Request) -> Progress:
        """How far the service has come: what is due, unsent, unread or parked. For operators and for time travel."""
        return await _progress(running(request))

    @routes.get("/metrics", response_class=PlainTextResponse, responses={200: METRICS_EXAMPLE})
    async def metrics(request: Request) -> Response:
        """Figures for Prometheus. What waits (unsent, unread, parked) is counted now; NaN where nobody can tell."""
        await _measure(running(request))
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return routes


async def _progress(run: Running) -> Progress:
    today = run.clock.today()
    async with reading(run.database) as connection:
        row = await connection.fetchrow(PROGRESS, today)
    try:
        lag = await run.consumer.lag() if run.consumer is not None else 0
    except KafkaError as error:
        raise Problem("unavailable", 503, retry_after=1) from error
    return Progress(service=run.service.name, business_date=today, lag=lag, **dict(row or {}))


async def _measure(run: Running) -> None:
    """What waits is counted when it is asked for: a relay or a consumer that is stuck would not say so itself."""
    name, backlog = run.service.name, await _unless_away(_backlog(run), UNKNOWN)
    if run.consumer is not None:
        CONSUMER_LAG.labels(name).set(await _unless_away(run.consumer.lag(), math.nan))
        for state in ("waiting", "failed", "forked"):
            PARKED.labels(name, state).set(backlog[state])
        DEAD_LETTERS.labels(name).set(backlog["dead_letters"])
    OUTBOX_UNSENT.labels(name).set(backlog["unsent"])
    OUTBOX_OLDEST.labels(name).set(backlog["oldest"])
    AUDIT_UNSEALED.labels(name).set(backlog["unsealed"])
    AUDIT_OLDEST.labels(name).set(backlog["oldest_unsealed"])
    DUE_FAILING.labels(name).set(backlog["due_failing"])
    DUE_OVERDUE.labels(name).set(backlog["due_overdue"])
    DATABASE_ANSWERS.labels(name).set(0 if math.isnan(backlog["clock"]) else 1)
    CLOCK_OFF.labels(name).set(time.time() - backlog["clock"])
    disk = shutil.disk_usage(run.settings.watched_disk)
    DISK_FREE.labels(name).set(disk.free / disk.total)
    SIGNING_KEY.labels(name).set(_can_sign(run))


def _can_sign(run: Running) -> bool:
    try:
        signature.keys(run.settings).signing(datetime.now(UTC))
    except (NoSigningKey, Refused):
        return False
    return True


async def _backlog(run: Running) -> Mapping[str, float]:
    async with reading(run.database) as connection:
        return dict(await connection.fetchrow(BACKLOG, run.clock.today()) or {})


async def _unless_away(asking: Awaitable[T], otherwise: T) -> T:
    """The answer, or `otherwise` where the database or Kafka gives none within two seconds."""
    try:
        return await asyncio.wait_for(asking, 2)
    except Exception as error:
        if is_database_error(error) or isinstance(error, KafkaError):
            return otherwise
        raise
