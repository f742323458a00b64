"""Every error that a schema of ours can raise has a sentence of its own, in every service."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import APIRoute
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from libs.common.problems import catalogue
from libs.common.service import Service, find

FOLDER = Path(__file__).parents[2] / "services"
SERVICES = sorted(path.parent.name for path in FOLDER.glob("*/service.py"))

RAISED_BY: dict[str, set[str]] = {
    "model": {"model_type", "model_attributes_type"},
    "model-fields": {"missing", "extra_forbidden", "model_attributes_type"},
    "model-field": set(),
    "default": set(),
    "nullable": set(),
    "any": set(),
    "dict": {"dict_type", "too_long"},
    "list": {"list_type", "too_short", "too_long"},
    "literal": {"literal_error"},
    "bool": {"bool_type"},
    "int": {
        "int_type",
        "int_from_float",
        "int_parsing",
        "int_parsing_size",
        "greater_than_equal",
        "less_than_equal",
    },
    "str": {"string_type", "string_unicode", "string_too_short", "string_too_long", "string_pattern_mismatch"},
    "uuid": {"uuid_type", "uuid_parsing", "uuid_version"},
    "function-after": {"text_not_printable"},
    "function-before": {"decimal_not_text", "decimal_format", "decimal_too_many_places", "date_format", "time_format"},
    # What stands behind our own readers never sees anything but what they have read.
    "decimal": set(),
    "date": set(),
    "datetime": set(),
    "definitions": set(),
    "definition-ref": set(),
}
"""What each kind of node in pydantic's schemas raises. A kind that is not here fails the test: add its errors."""

NEVER_RAISED = {"uuid_version"}
"""No version is asked for."""


def kinds(schema: Any) -> Iterator[str]:
    """The kinds of all nodes of a core schema that read input."""
    if isinstance(schema, dict):
        if isinstance(kind := schema.get("type"), str) and "cls_name" not in schema:
            yield kind
        for name, inner in schema.items():
            if name not in ("metadata", "serialization", "expected", "config", "function"):
                yield from kinds(inner)
    elif isinstance(schema, (list, tuple)):
        for inner in schema:
            yield from kinds(inner)


def read_by(service: Service) -> Iterator[TypeAdapter[Any]]:
    """What a service reads: the bodies of its commands and the parameters of its paths."""
    for router in service.routers:
        for route in router.routes:
            assert isinstance(route, APIRoute)
            dependant = route.dependant
            for parameter in (*dependant.body_params, *dependant.path_params, *dependant.query_params):
                yield TypeAdapter(parameter.field_info.annotation)


def spoken_by(name: str) -> Any:
    """The sentences of a service, and those that all have."""
    own = FOLDER / name / "messages.csv"
    return catalogue(*[own] if own.exists() else [])


@pytest.mark.parametrize("name", SERVICES)
def test_every_error_of_a_service_has_a_sentence(name: str) -> None:
    service = find(name)
    spoken = spoken_by(name)
    found = {kind for read in read_by(service) for kind in kinds(read.core_schema)}
    assert found, "the service reads something"
    assert found <= RAISED_BY.keys()
    assert {code for kind in found for code in RAISED_BY[kind]} - NEVER_RAISED <= spoken.keys()


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["\ud800", "60", "DE", "6210"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def forms() -> Iterator[Any]:
    """Every body that a service reads, with what it speaks and one example that is whole."""
    for name in SERVICES:
        found = {
            parameter.field_info.annotation
            for router in find(name).routers
            for route in router.routes
            if isinstance(route, APIRoute)
            for parameter in route.dependant.body_params
        }
        for form in sorted((one for one in found if isinstance(one, type)), key=lambda one: one.__name__):
            example = form.model_json_schema()["examples"][0]
            yield pytest.param(name, form, example, id=f"{name} {form.__name__}")


@pytest.mark.parametrize(("name", "form", "example"), list(forms()))
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_nothing_that_is_put_into_a_form_raises_an_error_without_one(
    name: str, form: Any, example: Any, data: Any
) -> None:
    body = spoiled(example, data)
    spoken = spoken_by(name)
    try:
        form.model_validate(body)
    except ValidationError as refused:
        for error in refused.errors():
            said = spoken[str(error["type"])]
            assert said["zh"].format_map(error.get("ctx", {}))
            assert said["en"].format_map(error.get("ctx", {}))


def spoiled(value: Any, data: Any) -> Any:
    """The value with one place in it replaced by anything."""
    if isinstance(value, dict) and data.draw(st.booleans()):
        name = data.draw(st.sampled_from([*value, "other"]))
        return {**value, name: spoiled(value.get(name), data)}
    if isinstance(value, list) and value and data.draw(st.booleans()):
        place = data.draw(st.integers(0, len(value) - 1))
        return [*value[:place], spoiled(value[place], data), *value[place + 1 :]]
    return data.draw(ANYTHING)
