"""Fields that bodies, paths and queries have in common."""

import re
from datetime import date
from typing import Annotated, Any

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _date(value: Any) -> date:
    if type(value) is date:
        return value
    try:
        if isinstance(value, str) and _DATE.fullmatch(value):
            return date.fromisoformat(value)
    except ValueError:
        pass
    raise PydanticCustomError("date_format", "not a date YYYY-MM-DD")


Day = Annotated[date, BeforeValidator(_date)]
"""A date written YYYY-MM-DD and in no other way (pydantic reads timestamps too)."""
