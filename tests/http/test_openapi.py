"""The interface description tells a stranger what each operation does, with an example, and how it refuses."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from libs.common.clock import BusinessClock
from libs.common.database import open_database
from libs.common.service import find
from libs.common.settings import Settings
from libs.common.web import Running, create_app

SERVICES = sorted(path.parent.name for path in (Path(__file__).parents[2] / "services").glob("*/service.py"))
COMMANDS = ("post", "put", "patch", "delete")
PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}

Operation = tuple[str, str, dict[str, Any]]


def description(name: str) -> dict[str, Any]:
    service = find(name)
    settings = Settings(service=name, KAFKA_BOOTSTRAP_SERVERS="nowhere:1", database_url="postgresql://nobody@nowhere/x")
    running = Running(service, settings, open_database(settings), BusinessClock())
    return create_app(service, running).openapi()


DESCRIPTIONS = {name: description(name) for name in SERVICES}


def operations() -> Iterator[Any]:
    for name, document in DESCRIPTIONS.items():
        for path, methods in document["paths"].items():
            for method, operation in methods.items():
                yield pytest.param(name, method, operation, id=f"{name} {method} {path}")


every_operation = pytest.mark.parametrize(("name", "method", "operation"), list(operations()))


def resolved(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    """The schema with this service's components beside it, so that its references lead somewhere."""
    return {**schema, "components": DESCRIPTIONS[name]["components"]}


def examples(name: str, content: dict[str, Any]) -> list[Any]:
    """The examples of one body: said beside it, or with its schema."""
    schema = content.get("schema", {})
    component = DESCRIPTIONS[name]["components"]["schemas"].get(schema.get("$ref", "").rpartition("/")[2], schema)
    return [*([content["example"]] if "example" in content else []), *component.get("examples", [])]


@every_operation
def test_it_says_what_it_does(name: str, method: str, operation: dict[str, Any]) -> None:
    assert operation["summary"]
    assert operation["description"].rstrip().endswith(".")
    assert operation["operationId"]
    assert operation["tags"]


@every_operation
def test_everything_it_takes_and_gives_has_an_example_that_is_true(
    name: str, method: str, operation: dict[str, Any]
) -> None:
    for parameter in operation["parameters"]:
        shown = [parameter["example"]] if "example" in parameter else parameter["schema"].get("examples", [])
        assert shown, parameter["name"]
        for one in shown:
            jsonschema.validate(one, resolved(name, parameter["schema"]))
    answers = [answer for status, answer in operation["responses"].items() if status.startswith("2")]
    bodies = [*answers, *([operation["requestBody"]] if "requestBody" in operation else [])]
    assert answers
    for body in bodies:
        for content in body["content"].values():
            shown = examples(name, content)
            assert shown
            for one in shown:
                jsonschema.validate(one, resolved(name, content.get("schema", {})))


@every_operation
def test_every_refusal_is_a_problem(name: str, method: str, operation: dict[str, Any]) -> None:
    for status, answer in operation["responses"].items():
        if status.startswith(("4", "5")) and operation["operationId"] != "ready":
            assert answer["description"]
            assert answer["content"] == PROBLEM, status
    for one in DESCRIPTIONS[name]["components"]["schemas"]["Problem"]["examples"]:
        jsonschema.validate(one, DESCRIPTIONS[name]["components"]["schemas"]["Problem"])


@every_operation
def test_commands_and_only_they_ask_for_a_key(name: str, method: str, operation: dict[str, Any]) -> None:
    headers = {one["name"]: one for one in operation["parameters"] if one["in"] == "header"}
    statuses = set(operation["responses"])
    if operation.get("x-question"):
        assert "Idempotency-Key" not in headers
        assert {"400", "413", "415", "422"} <= statuses
        assert not {"409", "412"} & statuses
    elif method in COMMANDS:
        assert headers["Idempotency-Key"]["required"]
        assert {"400", "409", "413", "415", "422", "503"} <= statuses
    else:
        assert "Idempotency-Key" not in headers
        assert "415" not in statuses


@pytest.mark.parametrize("name", SERVICES)
def test_the_frameworks_own_error_body_is_nowhere(name: str) -> None:
    assert not [schema for schema in DESCRIPTIONS[name]["components"]["schemas"] if "Validation" in schema]


def test_a_question_that_some_states_do_not_answer_says_so() -> None:
    comparison = "/v1/scorecards/{digest}/comparison"
    assert {
        path
        for document in DESCRIPTIONS.values()
        for path, methods in document["paths"].items()
        if "409" in methods.get("get", {}).get("responses", {})
    } == {comparison, f"{comparison}/enterprises"}
