"""One trace from the form to the score; logs that name it; figures that tell the truth when something is stuck."""

import asyncio
import json
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from secrets import token_hex
from typing import Any, NamedTuple

import asyncpg
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span as Exported

from libs.common import kafka
from libs.common.settings import Settings, load
from services.registration import policy
from services.risk import scorecards
from tests.http.wire import APPLICATIONS, as_json, get, send
from tests.spine import Spine, eventually, form, post, risk_of

SAID_OF_A_FORM = 3
"""That it was submitted, that it is decided, and that the enterprise is registered."""
SERVER, CONSUMER = Exported.SPAN_KIND_SERVER, Exported.SPAN_KIND_CONSUMER


class Span(NamedTuple):
    service: str
    name: str
    kind: int
    trace: str
    id: str
    parent: str
    linked: tuple[str, ...]
    """The traces that it is linked to."""
    linked_spans: tuple[str, ...]
    attributes: str


@dataclass
class Receiver:
    """Takes spans over OTLP/HTTP, as a collector does."""

    spans: list[Span] = field(default_factory=list)
    url: str = ""

    def take(self, body: bytes) -> None:
        for exported in ExportTraceServiceRequest.FromString(body).resource_spans:
            named = {item.key: item.value.string_value for item in exported.resource.attributes}
            for scope in exported.scope_spans:
                self.spans += [span_of(named["service.name"], span) for span in scope.spans]

    def of(self, trace: str, service: str, kind: int) -> list[Span]:
        return [s for s in self.spans if (s.trace, s.service, s.kind) == (trace, service, kind)]

    def named(self, trace: str, service: str, name: str) -> list[Span]:
        return [s for s in self.spans if (s.trace, s.service, s.name) == (trace, service, name)]

    async def one(self, trace: str, service: str, name: str) -> Span:
        """The only span of this name in the trace, as soon as it has come."""

        async def come() -> list[Span]:
            return self.named(trace, service, name)

        [span] = await eventually(come)
        return span


def span_of(service: str, span: Any) -> Span:
    linked = tuple(link.trace_id.hex() for link in span.links)
    ids = (span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex())
    linked_spans = tuple(link.span_id.hex() for link in span.links)
    return Span(service, span.name, span.kind, *ids, linked, linked_spans, str(span.attributes))


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    taken = Receiver()

    class Collect(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            taken.take(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Collect)
    taken.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield taken
    server.shutdown()


@pytest.fixture(scope="module")
def url(spine: Spine, receiver: Receiver) -> str:
    start(spine, receiver, "registration", "risk")
    return spine.service("registration").url


@pytest.fixture(scope="module")
def district(spine: Spine, url: str, receiver: Receiver) -> Spine:
    """The services that give permits, inspect and keep credit are there as well."""
    start(spine, receiver, "licensing", "supervision", "credit")
    return spine


def start(spine: Spine, receiver: Receiver, *services: str) -> None:
    exporting = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url, "OTEL_BSP_SCHEDULE_DELAY": "100"}
    for name in services:
        spine.service(name).start(**exporting)
    for name in services:
        spine.service(name).wait_ready()


class Caller(NamedTuple):
    """A caller that traces its own request."""

    trace: str
    span: str
    flags: str = "01"

    @property
    def headers(self) -> dict[str, str]:
        return {"traceparent": f"00-{self.trace}-{self.span}-{self.flags}"}


def caller(flags: str = "01") -> Caller:
    return Caller(token_hex(16), token_hex(8), flags)


async def carried(spine: Spine, service: str, uscc: str) -> tuple[str, str]:
    """The (trace, span) that a service's only event about an enterprise carries; in its outbox and on Kafka alike."""
    async with spine.database(service) as connection:
        row = await eventually(lambda: connection.fetchrow(SAID, uscc))
    [on_kafka] = [
        dict(record.headers)["traceparent"].decode()
        async for record in kafka.records(settings(spine, service), f"{spine.namespace}{service}.events")
        if record.key == uscc.encode()
    ]
    assert on_kafka == row["traceparent"]
    _, trace, span, _ = on_kafka.split("-")
    return trace, span


SAID = "SELECT traceparent FROM outbox WHERE subject = $1 AND id <= (SELECT high FROM relay_progress)"


def settings(spine: Spine, service: str) -> Settings:
    with spine.as_environment():
        return load(Settings, service)


async def scored(spine: Spine, uscc: str) -> None:
    await eventually(lambda: risk_of(spine, uscc))


async def test_one_trace_leads_from_the_form_to_the_score(spine: Spine, url: str, receiver: Receiver) -> None:
    asking = caller()
    uscc = (await send(url + APPLICATIONS, as_json(form()), **asking.headers)).json()["uscc"]
    await scored(spine, uscc)

    async def exported() -> bool:
        return bool(receiver.of(asking.trace, "registration", SERVER) and receiver.of(asking.trace, "risk", CONSUMER))

    await eventually(exported)
    [request] = receiver.of(asking.trace, "registration", SERVER)
    taking = {(span.name, span.parent) for span in receiver.of(asking.trace, "risk", CONSUMER)}
    assert (request.name, request.parent) == ("POST /v1/applications", asking.span)
    assert taking == {("risk process", request.id)}, "the events of one form have one cause, and so has what risk says"
    assert await carried(spine, "registration", uscc) == (asking.trace, request.id)
    assert await carried(spine, "risk", uscc) == (asking.trace, request.id), "whatever batch it was taken in"
    scoring = await receiver.one(asking.trace, "risk", "score")
    assert (scoring.parent, scoring.linked) == (request.id, (asking.trace,))


async def test_a_batch_of_many_forms_is_linked_to_the_trace_of_each(spine: Spine, url: str, receiver: Receiver) -> None:
    callers = [caller() for _ in range(8)]
    spine.service("risk").freeze()
    try:
        answers = await asyncio.gather(
            *(send(url + APPLICATIONS, as_json(form()), **asking.headers) for asking in callers)
        )
        await eventually(lambda: no_backlog(url))
    finally:
        spine.service("risk").thaw()
    for answer in answers:
        await scored(spine, answer.json()["uscc"])

    async def each_is_followed() -> bool:
        taking = [span for span in receiver.spans if (span.service, span.kind) == ("risk", CONSUMER)]
        followed = {trace for span in taking for trace in (span.trace, *span.linked)}
        return followed >= {asking.trace for asking in callers}

    await eventually(each_is_followed)
    assert any(len(span.linked) > 1 for span in receiver.spans), "they waited together, so some came together"
    batches = {span.id for span in receiver.spans if (span.service, span.kind) == ("risk", CONSUMER)}
    for asking in callers:
        scoring = await receiver.one(asking.trace, "risk", "score")
        [request] = receiver.of(asking.trace, "registration", SERVER)
        assert scoring.parent == request.id, "each trace goes on to its own score"
        assert set(scoring.linked_spans) <= batches


@pytest.mark.parametrize("given", [None, "", "00-zz-zz-01", f"00-{'0' * 32}-{'0' * 16}-01", "x" * 5000])
async def test_without_a_usable_traceparent_a_trace_begins_here(spine: Spine, url: str, given: str | None) -> None:
    headers = {} if given is None else {"traceparent": given}
    answer = await send(url + APPLICATIONS, as_json(form()), **headers)
    trace, span = await carried(spine, "registration", answer.json()["uscc"])
    assert re.fullmatch("[0-9a-f]{32}", trace)
    assert int(trace, 16)
    assert int(span, 16)


async def test_a_trace_that_is_not_sampled_is_carried_and_not_exported(
    spine: Spine, url: str, receiver: Receiver
) -> None:
    asking = caller(flags="00")
    uscc = (await send(url + APPLICATIONS, as_json(form()), **asking.headers)).json()["uscc"]
    await scored(spine, uscc)
    assert (await carried(spine, "risk", uscc))[0] == asking.trace
    assert not [span for span in receiver.spans if span.trace == asking.trace]


async def test_logs_are_json_lines_that_name_the_trace(spine: Spine, url: str) -> None:
    asking = caller()
    assert (await send(url + APPLICATIONS, b"{}", **asking.headers)).status_code == 422

    for name in ("registration", "risk"):
        lines = [json.loads(line) for line in spine.service(name).log.read_text().splitlines()]
        assert lines
        for line in lines:
            assert line["event"]
            assert line["level"] in ("debug", "info", "warning", "error", "critical")
            assert datetime.fromisoformat(line["timestamp"]).tzinfo
    written = [json.loads(line) for line in spine.service("registration").log.read_text().splitlines()]
    [refused] = [line for line in written if line.get("trace_id") == asking.trace]
    assert (refused["event"], refused["problem"], refused["codes"]) == ("refused", "malformed", ["missing"])


async def figures(url: str) -> dict[str, float]:
    """The samples of /metrics by name with labels."""
    text = (await get(f"{url}/metrics")).text
    samples = [line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in samples}


async def no_backlog(url: str) -> bool:
    return (await figures(url))['outbox_unsent{service="registration"}'] == 0


async def test_the_figures_agree_with_the_rows(spine: Spine, url: str) -> None:
    await send(url + APPLICATIONS, as_json(form()))
    await spine.quiet()
    async with spine.database("registration") as connection:
        said = await connection.fetchval("SELECT count(*) FROM outbox")
        answered = await connection.fetchval("SELECT count(*) FROM idempotency")
    async with spine.database("risk") as connection:
        announced = await connection.fetchval("SELECT count(*) FROM outbox")
    registration, risk = await figures(url), await figures(spine.service("risk").url)

    assert registration['events_sent_total{service="registration"}'] == said
    assert registration['outbox_unsent{service="registration"}'] == 0
    assert registration['outbox_oldest_unsent_seconds{service="registration"}'] == 0
    posted = 'http_request_seconds_count{method="POST",route="/v1/applications",service="registration",status="201"}'
    assert registration[posted] == answered
    assert risk['events_taken_total{outcome="applied",service="risk"}'] == said + announced, "it hears itself as well"
    assert risk['events_sent_total{service="risk"}'] == announced
    assert risk['consumer_lag{service="risk"}'] == 0
    for state in ("waiting", "failed", "forked"):
        assert risk[f'parked_events{{service="risk",state="{state}"}}'] == 0


@pytest.mark.parametrize(
    ("service", "law"),
    [("registration", lambda: policy.current().digest), ("risk", lambda: scorecards.current().digest)],
)
async def test_the_law_that_is_in_force_is_named(spine: Spine, url: str, service: str, law: Callable[[], str]) -> None:
    samples = await figures(spine.service(service).url)
    loaded = {name: value for name, value in samples.items() if name.startswith("policy_loaded")}
    assert loaded == {f'policy_loaded{{digest="{law()}",service="{service}"}}': 1}


async def test_the_backlog_shows_while_nobody_sends(spine: Spine, url: str) -> None:
    async with spine.database("registration") as connection:
        await take_the_lead(spine, connection)
        for _ in range(3):
            await send(url + APPLICATIONS, as_json(form()))
        first = await figures(url)
        assert first['outbox_unsent{service="registration"}'] == 3 * SAID_OF_A_FORM
        assert 0 < first['outbox_oldest_unsent_seconds{service="registration"}'] < 60

        async def older() -> bool:
            age = 'outbox_oldest_unsent_seconds{service="registration"}'
            return (await figures(url))[age] > first[age]

        await eventually(older)
    await eventually(lambda: no_backlog(url))


async def take_the_lead(spine: Spine, connection: asyncpg.Connection) -> None:
    """Stand first in line for the relay's lock, then end the session of the one who leads."""
    lead = asyncio.create_task(connection.execute("SELECT pg_advisory_lock(hashtextextended('one-window-relay', 0))"))
    async with spine.database("registration") as other:
        await eventually(lambda: other.fetchval("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"))
        await other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
    await lead


async def test_the_lag_shows_while_the_consumer_is_stuck(spine: Spine, url: str) -> None:
    await spine.quiet()  # what was said before would lag as well
    async with spine.database("risk") as connection, connection.transaction():
        await connection.execute("LOCK TABLE mark IN EXCLUSIVE MODE")  # no batch can be taken, not even of one event
        uscc = (await send(url + APPLICATIONS, as_json(form()))).json()["uscc"]

        async def behind() -> bool:
            return (await figures(spine.service("risk").url))['consumer_lag{service="risk"}'] == SAID_OF_A_FORM

        await eventually(behind)
    await scored(spine, uscc)


async def test_the_trace_of_a_form_goes_on_through_every_service_that_acts_on_it(
    district: Spine, url: str, receiver: Receiver
) -> None:
    asking = caller()
    await send(url + APPLICATIONS, as_json(form()), **asking.headers)

    request = await receiver.one(asking.trace, "registration", "POST /v1/applications")
    for service, name in (
        ("licensing", REGISTERED), ("supervision", REGISTERED), ("credit", REGISTERED), ("risk", "score")
    ):  # fmt: skip
        assert (await receiver.one(asking.trace, service, name)).parent == request.id, service


REGISTERED = "react to registration.enterprise_registered.v1"


async def test_one_trace_leads_from_an_inspection_over_permit_and_credit_to_the_score(
    district: Spine, url: str, receiver: Receiver
) -> None:
    visit = await a_commitment_to_check(district, url)
    path = f"/v1/inspections/{visit['id']}"
    first, second = visit["inspectors"]
    result = {"code": visit["code"], "results": [{"code_set": "joint_inspection", "code": "09"}]}
    await did(district, f"{path}/result", result, person=first)
    asking = caller()
    confirmed = await send(
        district.service("supervision").url + f"{path}/confirmation", as_json({"code": visit["code"]}),
        person=second, **asking.headers,
    )  # fmt: skip
    assert confirmed.status_code == 200, confirmed.text

    completed, unkept = "supervision.inspection_completed.v1", "licensing.commitment_unkept.v1"
    request = await receiver.one(asking.trace, "supervision", "POST /v1/inspections/{inspection_id}/confirmation")
    breaking = await receiver.one(asking.trace, "licensing", f"react to {completed}")
    recording = await receiver.one(asking.trace, "credit", f"react to {unkept}")
    assert (request.parent, breaking.parent, recording.parent) == (asking.span, request.id, breaking.id)

    async def scorings() -> set[str]:
        parents = {span.parent for span in receiver.named(asking.trace, "risk", "score")}
        return parents if parents >= {request.id, recording.id} else set()

    assert await eventually(scorings) == {request.id, recording.id}, "the finding counts, and the breach it led to"


async def did(spine: Spine, path: str, body: Any, *, service: str = "supervision", person: str) -> Any:
    answer = await post(spine, path, body, service=service, person=person)
    assert answer.status_code in (200, 201), answer.text
    return answer.json()


async def a_commitment_to_check(spine: Spine, url: str) -> dict[str, Any]:
    """A venture has its permit by commitment, and two inspectors are sent to see whether it is kept."""
    for account in ("inspector-3", "inspector-4"):
        await did(spine, "/v1/inspectors", {"account": account, "department": "fire_and_rescue"}, person="supervisor-1")
    uscc = (await send(url + APPLICATIONS, as_json(form(activities=["6210"])))).json()["uscc"]
    await spine.quiet()
    applying = {"item_id": "P033", "way": "commitment", "commitment_accepted": True}
    path = f"/v1/enterprises/{uscc}/permit-applications"
    await did(spine, path, applying, service="licensing", person="applicant-1")
    await spine.quiet()
    obligations = await get(f"{spine.service('supervision').url}/v1/obligations", person="supervisor-1")
    [owed] = obligations.json()["items"]
    check = {"uscc": uscc, "reason": "commitment_check", "commitment_id": owed["commitment_id"]}
    visit: dict[str, Any] = await did(spine, "/v1/inspections", check, person="supervisor-1")
    return visit
