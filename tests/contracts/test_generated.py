"""The generated documents: whole, referring to what is there, and true to what travels."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import jsonschema
import msgspec
import pytest

from deploy.contracts import events, generated, history
from libs.common.envelope import headers
from libs.common.kafka import PARTITIONS

FOLDER = generated.FOLDER


def asyncapi() -> dict[str, Any]:
    return msgspec.yaml.decode((FOLDER / "asyncapi.yaml").read_bytes(), type=dict[str, Any])


def references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if "$ref" in part:
            yield part["$ref"]
        for value in part.values():
            yield from references(value)
    elif isinstance(part, list):
        for value in part:
            yield from references(value)


def resolved(document: dict[str, Any], reference: str) -> Any:
    file, _, path = reference.partition("#/")
    if file:
        return json.loads((FOLDER / file).read_text())
    for name in path.split("/"):
        document = document[name]
    return document


def test_asyncapi_names_every_topic_message_speaker_and_reader() -> None:
    document = asyncapi()
    assert all(resolved(document, reference) for reference in references(document))
    assert set(document["components"]["messages"]) == {*events.published(), "shanghai.credit.record.v1"}
    for type, one in events.published().items():
        channel = document["channels"][f"{one.service}.events"]
        assert type in channel["messages"]
        assert channel["bindings"]["kafka"]["partitions"] == PARTITIONS
    said = {name: operation["action"] for name, operation in document["operations"].items()}
    hearing = {
        f"{reader}.hears.{events.published()[kind.type].service}"
        for reader, kinds in events.consumed().items()
        for kind in kinds
    }
    assert len(hearing) > 10, "all six services, none of which hears itself"
    assert said == {
        **{f"{one.service}.says": "send" for one in events.published().values()},
        **dict.fromkeys(hearing, "receive"),
        "credit.takes.city.credit.records": "receive",
        "credit.tells.city.credit.outcomes": "send",
    }


def test_every_message_has_an_example_that_is_true() -> None:
    for name, message in asyncapi()["components"]["messages"].items():
        schema = json.loads((FOLDER / message["payload"]["$ref"]).read_text())
        assert message["examples"], name
        for example in message["examples"]:
            jsonschema.validate(example["payload"], schema, format_checker=jsonschema.FormatChecker())


@pytest.mark.parametrize("with_optional", [True, False])
def test_the_headers_described_are_those_that_travel(with_optional: bool) -> None:
    travelling = {
        name: value.decode()
        for name, value in headers(
            id=uuid4(), source="/jingan/risk", type="risk.class_changed.v1", subject="91310106MA0000015B", sequence=7,
            time="2026-01-05T01:00:00+00:00", correlation_id=str(uuid4()),
            causation_id=uuid4() if with_optional else None,
            traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" if with_optional else None,
        )
    }  # fmt: skip
    described = asyncapi()["components"]["schemas"]["CloudEventsHeaders"]
    jsonschema.validate(travelling, described)
    assert set(travelling) == set(described["properties" if with_optional else "required"])


def test_published_samples_fit_the_published_schemas() -> None:
    for type, shapes in history.load().items():
        schema = json.loads((FOLDER / "schemas" / f"{type}.json").read_text())
        jsonschema.Draft202012Validator.check_schema(schema)
        for shape in shapes:
            jsonschema.validate(shape.data, schema)


@pytest.mark.parametrize("service", events.services())
def test_every_operation_says_what_it_does_and_how_it_refuses(service: str) -> None:
    document = json.loads((FOLDER / "openapi" / f"{service}.json").read_text())
    assert all(resolved(document, reference) for reference in references(document))
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert operation["description"], f"{method} {path}"
            if path.startswith("/v1/"):
                refusals = {status: one for status, one in operation["responses"].items() if status >= "400"}
                kinds = {kind for one in refusals.values() for kind in one["content"]}
                assert kinds == {"application/problem+json"}, f"{method} {path}"
