"""A JSON body as RFC 8259 wants it, and more strictly where readers differ: UTF-8, each name once, finite numbers."""

import json
import math
from collections.abc import Mapping
from typing import Any, NoReturn

from fastapi import Request

from libs.common.problems import Fault, Problem, field_name

MAX_DIGITS = 100
MAX_NAMES = 1_000
"""Names in one object. Each unknown one costs an entry in the answer, so their number is bounded first."""


class JsonRequest(Request):
    """A request whose body is JSON or nothing. `json` raises Problem: what is wrong, where, and how to mend it."""

    async def json(self) -> Any:
        if not hasattr(self, "_json"):
            self._json = read_json(await self.body())
        return self._json


def read_json(body: bytes) -> Any:
    """The value that a body holds. Raises Problem `invalid-json` (400); nothing of the body is repeated in it."""
    try:
        return json.loads(
            body.decode(), object_pairs_hook=_object, parse_int=_integer, parse_float=_float, parse_constant=_constant
        )
    except UnicodeDecodeError:
        _refuse("json_not_utf8")
    except json.JSONDecodeError as error:
        _refuse("json_invalid", params={"line": error.lineno, "column": error.colno})
    except RecursionError:
        _refuse("json_too_deep")


def has_json(request: Request) -> bool:
    """True when the body says that it is JSON (`application/json`, or a type that ends with `+json`)."""
    given = media_type(request)
    return given == "application/json" or (given.startswith("application/") and given.endswith("+json"))


def media_type(request: Request) -> str:
    """What the body says it is, without parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(pairs) > MAX_NAMES:
        _refuse("json_too_many_names", params={"limit": MAX_NAMES})
    read = dict(pairs)
    if len(read) < len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                _refuse("json_name_repeated", field_name(name))
            seen.add(name)
    return read


def _integer(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        _refuse("json_number_too_large")
    return int(digits)


def _float(digits: str) -> float:
    if len(digits) > MAX_DIGITS or math.isinf(number := float(digits)):
        _refuse("json_number_too_large")
    return number


def _constant(_: str) -> NoReturn:
    _refuse("json_not_a_number")


def _refuse(code: str, field: str = "", params: Mapping[str, Any] | None = None) -> NoReturn:
    raise Problem("invalid-json", 400, [Fault(field, code, params or {})])
