"""Fields that bodies, paths and queries have in common."""

import re
from datetime import UTC, date, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})")


def _date(value: Any) -> date:
    if type(value) is date:
        return value
    try:
        if isinstance(value, str) and _DATE.fullmatch(value):
            return date.fromisoformat(value)
    except ValueError:
        pass
    raise PydanticCustomError("date_format", "not a date YYYY-MM-DD")


def _instant(value: Any) -> datetime:
    try:
        given = datetime.fromisoformat(value) if isinstance(value, str) and _TIME.fullmatch(value) else value
        if isinstance(given, datetime) and given.tzinfo is not None:
            return given.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise PydanticCustomError("time_format", "not a time YYYY-MM-DDThh:mm:ss with its zone")


Instant = Annotated[datetime, BeforeValidator(_instant)]
"""A moment written as RFC 3339 has it, `2026-01-05T10:00:00+08:00` or with Z, and in no other way."""

Day = Annotated[date, BeforeValidator(_date)]
"""A date written YYYY-MM-DD and in no other way (pydantic reads timestamps too)."""


def _uuid(value: Any) -> UUID:
    if isinstance(value, UUID):
        return value
    try:
        if isinstance(value, str):
            return UUID(value)
    except ValueError:
        pass
    raise PydanticCustomError("uuid_parsing", "not a UUID")


Id = Annotated[UUID, BeforeValidator(_uuid), WithJsonSchema({"type": "string", "format": "uuid"})]
"""An identifier as text, and in no other way (pydantic reads bytes and integers too)."""
