"""Logs, metrics and traces. Logs are one JSON object a line with the trace they belong to; no personal data in any."""

import logging
import os
import sys
import traceback
from collections.abc import Iterable, Iterator, MutableMapping, Sequence
from contextlib import contextmanager
from typing import Any

import structlog
from opentelemetry import propagate, trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from prometheus_client import Counter, Gauge, Histogram

tracer = trace.get_tracer("one-window")

EVENTS_TAKEN = Counter("events_taken", "Events by what became of them", ["service", "outcome"])
EVENTS_SENT = Counter("events_sent", "Events acknowledged by Kafka", ["service"])
RELAY_LEADS = Gauge("relay_leads", "1 in the process whose relay sends for its service", ["service"])
OUTBOX_UNSENT = Gauge("outbox_unsent", "Events committed and not acknowledged yet", ["service"])
OUTBOX_OLDEST = Gauge("outbox_oldest_unsent_seconds", "Age of the oldest of them; 0 where there is none", ["service"])
AUDIT_UNSEALED = Gauge("audit_unsealed", "Audit rows that are not chained yet", ["service"])
AUDIT_OLDEST = Gauge("audit_oldest_unsealed_seconds", "Age of the oldest of them; 0 where there is none", ["service"])
PARKED = Gauge("parked_events", "Events parked and not settled", ["service", "state"])
CONSUMER_PAUSED = Gauge("consumer_paused", "1 while the consumer has paused itself for a bad release", ["service"])
CONSUMER_LAG = Gauge("consumer_lag", "Records behind the end of all topics heard", ["service"])
DEAD_LETTERS = Gauge("dead_letters", "Records that could not be read as events, kept to be looked at", ["service"])
DUE_FIRED = Counter("due_fired", "Acts that time has fired", ["service", "kind", "outcome"])
DUE_FAILING = Gauge("due_failing", "Acts that time has fired and that fail; they are tried again", ["service"])
DUE_OVERDUE = Gauge("due_overdue_days", "Days by which the oldest act that does not fail is late", ["service"])
CLOCK_IGNORED = Counter("clock_records_ignored", "Records on clock.events that move no clock", ["service"])
CLOCK_OFF = Gauge("clock_off_seconds", "This machine's clock less that of its database", ["service"])
DATABASE_ANSWERS = Gauge("database_answers", "1 while the service's database answers", ["service"])
DISK_FREE = Gauge("disk_free_ratio", "Free share of the disk that the service watches", ["service"])
SIGNING_KEY = Gauge("signing_key_ready", "1 while a key of the service may sign", ["service"])
POLICY_LOADED = Gauge("policy_loaded", "1 for the law that this process decides by", ["service", "digest"])
REQUESTS = Histogram("http_request_seconds", "HTTP requests", ["service", "method", "route", "status"])
MAX_LINKS = 64


def start_logging(level: str) -> None:
    """JSON lines on standard error, for our own logs and for those of libraries."""
    processors: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _with_trace,
        _with_outline,
    ]
    structlog.configure(
        processors=[*processors, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=processors,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # They tell of what they mend themselves, or repeat what the application has logged.
    for noisy in ("aiokafka", "alembic", "uvicorn.error"):
        logging.getLogger(noisy).setLevel("CRITICAL")


def start_tracing(service_names: Sequence[str]) -> None:
    """Export spans when the standard OTEL_EXPORTER_OTLP_ENDPOINT is set; trace ids travel in any case."""
    provider = TracerProvider(resource=Resource.create({"service.name": "+".join(service_names)}))
    if os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)


def links(traceparents: Iterable[str | None]) -> list[trace.Link]:
    """Links to the traces that the events of a batch belong to (the first few: a batch may hold thousands)."""
    return [trace.Link(trace.get_current_span(one).get_span_context()) for one in _contexts(traceparents)]


@contextmanager
def span_in_each(name: str, traceparents: Iterable[str | None]) -> Iterator[None]:
    """A span around work that is done for many events at once, in the trace of each of them (of the first few).

    Links alone would end every trace before such work: who follows one would not see it. Each span lasts as long as
    the whole and links to the span around it, where the others are.
    """
    around = trace.get_current_span().get_span_context()
    shared = [trace.Link(around)] if around.is_valid else []
    spans = [tracer.start_span(name, context=context, links=shared) for context in _contexts(traceparents)]
    try:
        yield
    finally:
        for span in spans:
            span.end()


def _contexts(traceparents: Iterable[str | None]) -> list[Context]:
    """The first MAX_LINKS distinct contexts that can be read."""
    found: list[Context] = []
    for traceparent in dict.fromkeys(traceparents):
        if traceparent is not None:
            context = propagate.extract({"traceparent": traceparent})
            if trace.get_current_span(context).get_span_context().is_valid:
                found.append(context)
        if len(found) == MAX_LINKS:
            break
    return found


def _with_trace(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        event["trace_id"] = format(context.trace_id, "032x")
    return event


def _with_outline(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The kind and the place of an exception. Its message stays out: a database's repeats the row it refused."""
    given = event.pop("exc_info", None)
    error = sys.exc_info()[1] if given is True else given[1] if isinstance(given, tuple) else given
    if error:
        event["exception"] = list(_outline(error))
    return event


def _outline(error: BaseException) -> Iterator[str]:
    kind, state = type(error), getattr(error, "sqlstate", None)
    yield f"{kind.__module__}.{kind.__qualname__}" + (f" {state}" if state else "")
    for frame in traceback.extract_tb(error.__traceback__):
        yield f"  {frame.filename}:{frame.lineno} {frame.name}"
    inner = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    for other in (*inner, *([before] if before else ())):
        yield from _outline(other)
