"""For schemathesis: who it is, and which things it has seen.

A stranger with nothing but the examples would be turned away at the first door: each operation is tried by somebody
of a fitting role, each command under a key of its own, and where the documented example of an id is sent, it becomes
one that an answer of this run has named.
"""

from functools import cache
from itertools import count
from os import environ
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import schemathesis

from libs.common.web.documents import IDEMPOTENCY_KEY
from tests.spine import bearer

PERSON = {
    "applicant": "applicant-1", "agent": "agent-1", "registrar": "registrar-1", "credit_officer": "credit-1",
    "licensing_officer": "licensing-fire-1", "inspector": "inspector-1", "supervisor": "supervisor-1",
    "risk_analyst": "analyst-1", "regulator": "regulator-1", "auditor": "auditor-1", "operator": "operator-1",
}  # fmt: skip
"""Of an operation's roles, the first in this order comes."""

calls = count()
seen: dict[str, str] = {"enterprises": environ["ENTERPRISE"]}
"""The last id of each collection, by the segment of the path that names it."""

header_of = cache(bearer)


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: schemathesis.Case, kwargs: dict[str, Any]) -> None:
    name, raw = IDEMPOTENCY_KEY["name"], case.operation.definition.raw
    if case.headers and case.headers.get(name) == IDEMPOTENCY_KEY["example"]:
        case.headers[name] = str(uuid5(NAMESPACE_URL, f"call {next(calls)}"))
    if person := fitting(raw.get("x-roles", ())):
        case.headers = dict(case.headers or {}) | header_of(person)
    for parameter in raw.get("parameters", ()):
        collection = case.path.partition(f"/{{{parameter['name']}}}")[0].rpartition("/")[2]
        shown = parameter["schema"].get("examples", ())
        if parameter["in"] == "path" and collection in seen and case.path_parameters[parameter["name"]] in shown:
            case.path_parameters[parameter["name"]] = seen[collection]


@schemathesis.hook
def after_call(context: schemathesis.HookContext, case: schemathesis.Case, response: schemathesis.Response) -> None:
    if response.status_code not in (200, 201) or not response.headers.get("content-type", [""])[0].endswith("json"):
        return
    answer, collection = response.json(), case.path.rpartition("/")[2]
    items = answer.get("items", [answer]) if isinstance(answer, dict) else []
    if items and isinstance(items[0], dict) and "id" in items[0]:
        seen[collection] = str(items[0]["id"])


def fitting(roles: Any) -> str | None:
    return next((person for role, person in PERSON.items() if role in roles), None)
