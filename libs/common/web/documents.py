"""The OpenAPI document: problems as every operation gives them, and the headers that all commands have in common."""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI

from libs.common.idempotency import KEY
from libs.common.web.running import COMMANDS, PROBLEM

_STRING = {"type": "string"}
PROBLEM_SCHEMA = {
    "type": "object",
    "description": "A refusal as RFC 9457 has it: what is wrong, and what to do. What was sent is not repeated.",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {**_STRING, "description": "stable, to be compared by programs"},
        "title": _STRING,
        "status": {"type": "integer"},
        "detail": {**_STRING, "description": "what to do, in the caller's language"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "code", "detail"],
                "properties": {
                    "field": {**_STRING, "description": "the path of the field; empty for the whole body"},
                    "code": _STRING,
                    "detail": _STRING,
                },
            },
        },
    },
    "examples": [
        {
            "type": "urn:one-window:problem:form-returned",
            "title": "form returned",
            "status": 422,
            "detail": "The form has faults. Mend the fields below and send it again.",
            "errors": [
                {
                    "field": "investors",
                    "code": "shares_not_100",
                    "detail": "The shares must sum to exactly 100%; they sum to 99.9999%.",
                }
            ],
        }
    ],
}


def _problem(description: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": description, "content": {PROBLEM: {"schema": schema}}}


PROBLEM_RESPONSES: dict[int | str, dict[str, Any]] = {
    400: _problem("The key is missing, or the body is not JSON"),
    401: _problem("No token, or none that is good"),
    403: _problem("None of the caller's roles may do this"),
    404: _problem("There is nothing by that name"),
    408: _problem("The body did not arrive in time"),
    409: _problem("Another request with this key is under way"),
    412: _problem("Somebody has changed it since it was read"),
    413: _problem("The body is too large"),
    415: _problem("The body is not application/json"),
    422: _problem("There are faults; each is named"),
    428: _problem("If-Match is missing: read it first"),
    429: _problem("Too many requests; try again after Retry-After seconds"),
    500: _problem("Something went wrong; the reference names it in the log"),
    503: _problem("Not now; try again after Retry-After seconds"),
}
GONE: dict[int | str, dict[str, Any]] = {410: _problem("What came after this place is gone: begin anew")}
"""For a feed whose places end."""
NOT_IN_THAT_STATE: dict[int | str, dict[str, Any]] = {409: _problem("Its state does not have this: read it again")}
"""For a question that a thing answers in some of its states."""
ONLY_COMMANDS = ("400", "408", "409", "415")
NOT_OF_QUESTIONS = ("409",)
ONLY_WITH_INPUT = ("404", "422")
ONLY_WITH_ROLES = ("403",)
ONLY_WITH_VERSION = ("412", "428")
BEARER = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "JWT",
    "description": "An access token (RFC 9068) of the issuer that vouches for this window's callers.",
}
PURPOSE = ("purpose", "header")
"""A look that must say why; the routes refuse it themselves, with a sentence."""
IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "description": "A name of the caller's own for this submission. Sent again, it gets the same answer for 7 days.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": f"^{KEY.pattern}$"},
    "example": "3f0c9a2e-6b1d-4c57-9a52-0d3b8f3c7a11",
}
ACCEPT_LANGUAGE = {
    "name": "Accept-Language",
    "in": "header",
    "required": False,
    "description": "zh (otherwise) or en: the language of sentences.",
    "schema": {"type": "string"},
    "example": "en",
}
ETAG = {"description": "The version that is shown; a change names it in If-Match", "schema": {"type": "string"}}
REPLAYED = {"description": "`true` when this is a stored answer, given again", "schema": {"type": "string"}}


class Application(FastAPI):
    """FastAPI with what `openapi` cannot know by itself: the headers that routes read before they parse a body."""

    def openapi(self) -> dict[str, Any]:
        document = super().openapi()
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        for schema in schemas.values():
            if "examples" in schema:
                schema["examples"] = [_with_nulls(one, schema, schemas) for one in schema["examples"]]
        schemas["Problem"] = PROBLEM_SCHEMA
        document["components"]["securitySchemes"] = {"bearer": BEARER}
        versioned = [path for path, operations in document["paths"].items() if _changes_a_version(operations)]
        for path, operations in document["paths"].items():
            for method, operation in operations.items():
                _complete(method.upper(), operation)
                if method == "get" and any(f"{one}/".startswith(f"{path}/") for one in versioned):
                    _show_version(operation)
        return document


def _changes_a_version(operations: Mapping[str, Any]) -> bool:
    return any(_has_if_match(operation) for operation in operations.values())


def _has_if_match(operation: Mapping[str, Any]) -> bool:
    return any(one["name"].lower() == "if-match" for one in operation.get("parameters", ()))


def _show_version(operation: dict[str, Any]) -> None:
    for status, response in operation["responses"].items():
        if status.startswith("2"):
            response.setdefault("headers", {})["ETag"] = ETAG


def _complete(method: str, operation: dict[str, Any]) -> None:
    responses = operation["responses"]
    parameters = {(one["name"], one["in"]): one for one in operation.get("parameters", [])}
    if not parameters and "requestBody" not in operation:
        _drop(responses, ONLY_WITH_INPUT)
    if not operation.setdefault("security", []):
        _drop(responses, ONLY_WITH_ROLES)
    if not _has_if_match(operation):
        _drop(responses, ONLY_WITH_VERSION)
    if method in COMMANDS and operation.get("x-question"):
        _drop(responses, NOT_OF_QUESTIONS)
    elif method in COMMANDS:
        parameters["Idempotency-Key", "header"] = IDEMPOTENCY_KEY
        for status, response in responses.items():
            if status.startswith("2"):
                response.setdefault("headers", {})["Idempotency-Replayed"] = REPLAYED
    else:
        _drop(responses, ONLY_COMMANDS if PURPOSE not in parameters else ONLY_COMMANDS[1:])
    if PURPOSE in parameters:
        parameters[PURPOSE]["required"] = True
    if "health" not in operation.get("tags", ()):
        parameters["Accept-Language", "header"] = ACCEPT_LANGUAGE
    operation["parameters"] = list(parameters.values())


def _with_nulls(example: Any, schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Any:
    """The framework leaves nulls out of examples. A field that is required and not there was one."""
    schema = next((one for one in schema.get("anyOf", ()) if one.get("type") != "null"), schema)
    schema = schemas.get(schema.get("$ref", "").rpartition("/")[2], schema)
    if isinstance(example, dict) and "properties" in schema:
        shown = [name for name in schema["properties"] if name in example or name in schema.get("required", ())]
        return {name: _with_nulls(example.get(name), schema["properties"][name], schemas) for name in shown}
    if isinstance(example, list) and "items" in schema:
        return [_with_nulls(one, schema["items"], schemas) for one in example]
    return example


def _drop(responses: dict[str, Any], statuses: tuple[str, ...]) -> None:
    """Leave out what is said of every route and not true of this one; what the route says of itself stays."""
    for status in statuses:
        if responses.get(status, {}).get("description") == PROBLEM_RESPONSES[int(status)]["description"]:
            del responses[status]


def example(value: Mapping[str, Any]) -> dict[str, Any]:
    """A JSON answer as an example, for `responses` of a route."""
    return {"content": {"application/json": {"example": value}}}
