"""Every right tried: each route of each service by each role, by nobody, and on what belongs to somebody else.

The cells come from the routes themselves; `docs/rights.md` shows them to people.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any, cast, get_args
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio
from fastapi.routing import APIRoute, iter_route_contexts

from deploy.contracts import generated, rights
from deploy.contracts.events import services
from deploy.local.issuer import people
from libs.common.clock import BusinessClock
from libs.common.database import open_database
from libs.common.identity import Role
from libs.common.run import prepare
from libs.common.service import find
from libs.common.web import Running, create_app
from libs.common.web.commands import CommandRoute
from tests.http.wire import NO_TLS
from tests.spine import Spine, bearer, eventually, name_of_its_own, submit

DESCRIPTIONS = {name: generated.openapi(name) for name in services()}
PERSON: Mapping[Role, str] = {
    role: next(p.subject for p in people().values() if role in p.roles) for role in get_args(Role)
}
CELLS = [(name, *cell) for name, one in DESCRIPTIONS.items() for cell in rights.operations(one)]
MACHINES = ("/health/", "/metrics")


@dataclass(slots=True)
class Windows:
    """The services' applications in this process, each on its own database: nothing else of them runs."""

    clients: dict[str, httpx.AsyncClient] = field(default_factory=dict)
    closing: AsyncExitStack = field(default_factory=AsyncExitStack)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def windows(spine: Spine) -> AsyncIterator[Windows]:
    opened = Windows()
    async with opened.closing:
        with spine.as_environment():
            for name in services():
                service = find(name)
                settings = service.load_settings()
                database = open_database(settings)
                opened.closing.push_async_callback(database.engine.dispose)
                await prepare(service, settings, database)
                run = Running(service, settings, database, BusinessClock(settings.business_start))
                transport = httpx.ASGITransport(create_app(service, run), raise_app_exceptions=False)
                opened.clients[name] = await opened.closing.enter_async_context(
                    httpx.AsyncClient(transport=transport, base_url="http://window")
                )
        yield opened


def with_examples(service: str, method: str, path: str) -> str:
    """The path with the documented examples in it."""
    operation = DESCRIPTIONS[service]["paths"][path][method.lower()]
    for parameter in operation["parameters"]:
        if parameter["in"] == "path":
            shown = [parameter["example"]] if "example" in parameter else parameter["schema"].get("examples", [uuid4()])
            path = path.replace(f"{{{parameter['name']}}}", str(shown[0]))
    return path


def test_no_route_is_without_stated_rights() -> None:
    """A route that does not ask who comes would be open to all, whatever it says. Pages have rights of their own."""
    for name in services():
        app = create_app(find(name), cast(Running, None))
        found = [(one.path, one.original_route) for one in iter_route_contexts(app.routes)]
        asking = [path for path, route in found if isinstance(route, CommandRoute)]
        others = [
            path
            for path, route in found
            if isinstance(route, APIRoute) and not isinstance(route, CommandRoute) and not path.startswith(MACHINES)
            if name != "lobby" or route.include_in_schema
        ]
        assert others == [], name
        assert asking, name


@pytest.mark.parametrize("role", [None, *get_args(Role)])
async def test_each_route_is_open_to_those_it_names_and_to_nobody_else(windows: Windows, role: Role | None) -> None:
    """A command is sent without its key: who may come in is told so (400), and nothing happens."""
    headers = bearer(None if role is None else PERSON[role])
    wrong = []
    for service, method, path, roles in CELLS:
        answer = await windows.clients[service].request(method, with_examples(service, method, path), headers=headers)
        expected = "in" if roles is None or role in roles else "401" if role is None else "403"
        found = str(answer.status_code) if answer.status_code in (401, 403) else "in"
        if found != expected or answer.status_code >= 500:
            wrong.append(f"{role} {method} {service} {path}: {answer.status_code}, not {expected}")
    assert wrong == []


def test_the_table_for_people_says_what_the_routes_say() -> None:
    written = (generated.CHECKOUT / "docs" / "rights.md").read_text(encoding="utf-8")
    assert written == rights.table(DESCRIPTIONS), generated.WRITE


# What belongs to somebody


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of object: the beginning of the paths that lead to it, how an owner makes one, and what anyone may see.

    `make` answers with what stands for the parameter of the path.
    """

    service: str
    prefix: str
    make: Callable[[Spine, str], Awaitable[str]]


async def an_application(spine: Spine, owner: str) -> str:
    return str((await submit(spine, person=owner)).json()["id"])


async def an_enterprise(spine: Spine, owner: str) -> str:
    return str((await submit(spine, person=owner)).json()["uscc"])


async def a_draft(spine: Spine, owner: str) -> str:
    answer = await command(spine, "registration", "POST", "/v1/drafts", owner, {"content": {"area": "310106013"}})
    return str(answer.json()["id"])


async def a_reserved_name(spine: Spine, owner: str) -> str:
    asked = {"enterprise_name": name_of_its_own(), "enterprise_type": "limited_company", "activity": "6210"}
    return str((await command(spine, "registration", "POST", "/v1/name-reservations", owner, asked)).json()["id"])


async def a_permit_application(spine: Spine, owner: str) -> str:
    """For the catering licence, which the example form needs."""
    path = f"/v1/enterprises/{await an_enterprise(spine, owner)}/permit-applications"
    body = {"item_id": "P001", "way": "ordinary"}

    async def filed() -> httpx.Response | None:
        answer = await command(spine, "licensing", "POST", path, owner, body)
        return None if answer.status_code == 404 else answer

    answer = await eventually(filed)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


TRIED_ELSEWHERE = (
    "/v1/repairs/{",
    "/v1/applications/{application_id}/documents",
    "/v1/applications/{application_id}/signatures",
    "/v1/enterprises/{uscc}/false-registration/objections",
    "/v1/enterprises/{uscc}/deregistration/objections",
)
"""Takes more than one act of an applicant, or no JSON: tests/credit/test_repair.py, and test_documents.py,
test_signatures.py, test_false_registration.py and test_deregistration.py in tests/registration."""

KINDS = (
    Kind("registration", "/v1/applications/{", an_application),
    Kind("registration", "/v1/enterprises/{", an_enterprise),
    Kind("registration", "/v1/drafts/{", a_draft),
    Kind("registration", "/v1/name-reservations/{", a_reserved_name),
    Kind("licensing", "/v1/enterprises/{", an_enterprise),
    Kind("licensing", "/v1/permit-applications/{", a_permit_application),
    Kind("credit", "/v1/enterprises/{", an_enterprise),
)
"""A new kind of thing that an applicant may own is added here; new routes to a known kind are found by themselves."""

OWNERS: frozenset[Role] = frozenset({"applicant", "agent"})


def owned() -> Iterator[tuple[str, str, str]]:
    """Service, method and path of each route by which applicants reach one thing."""
    for service, method, path, roles in CELLS:
        if "{" in path and roles is not None and OWNERS & roles and not path.startswith(TRIED_ELSEWHERE):
            yield service, method, path


async def command(spine: Spine, service: str, method: str, path: str, person: str, body: Any = None) -> httpx.Response:
    headers = {"idempotency-key": str(uuid4()), "if-match": '"1"', "purpose": "case_handling", **bearer(person)}
    async with httpx.AsyncClient(base_url=spine.service(service).url, timeout=30, verify=NO_TLS) as asking:
        return await asking.request(method, path, json=body, headers=headers)


def example_body(service: str, method: str, path: str) -> Any:
    operation = DESCRIPTIONS[service]["paths"][path][method.lower()]
    if "requestBody" not in operation:
        return None
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    known = DESCRIPTIONS[service]["components"]["schemas"].get(schema.get("$ref", "").rpartition("/")[2], schema)
    return known["examples"][0]


@pytest.fixture(scope="module")
def running(spine: Spine) -> Spine:
    return spine.up(*sorted({service for service, _, _ in owned()}))


@pytest.mark.parametrize(("service", "method", "path"), list(owned()), ids=" ".join)
async def test_what_belongs_to_somebody_else_is_not_there(running: Spine, service: str, method: str, path: str) -> None:
    [kind] = [one for one in KINDS if one.service == service and path.startswith(one.prefix)]
    made = await kind.make(running, "applicant-1")
    name = path[path.index("{") : path.index("}") + 1]
    reached, body = path.replace(name, made), example_body(service, method, path)

    async def there_for_the_owner() -> bool:
        """It is there, whatever else may keep the owner from acting on it."""
        return (await command(running, service, method, reached, "applicant-1", body)).status_code != 404

    async def hidden() -> None:
        for stranger in ("applicant-2", "agent-1"):
            answer = await command(running, service, method, reached, stranger, body)
            assert (answer.status_code, json.loads(answer.content)["type"]) == (404, "urn:one-window:problem:not-found")

    if method == "GET":
        await eventually(there_for_the_owner)
        await hidden()
    else:
        await hidden()
        await eventually(there_for_the_owner)
