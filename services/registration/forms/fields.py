"""What fields of bodies may hold: nothing unknown, nothing coerced, everything bounded."""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

CAPITAL_DIGITS, CAPITAL_PLACES = 15, 2
SHARE_DIGITS, SHARE_PLACES = 3, 4

# Control characters, line and paragraph separators, and the marks that turn the direction of what follows.
_UNPRINTABLE = r"\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069\ufeff"
_PRINTABLE = re.compile(f"[^{_UNPRINTABLE}]*")


def _printable(value: str) -> str:
    if not _PRINTABLE.fullmatch(value):
        raise PydanticCustomError("text_not_printable", "control characters are not allowed")
    return value


def _decimal(digits: int, places: int) -> Callable[[Any], Decimal]:
    pattern = re.compile(rf"(0|[1-9][0-9]{{0,{digits - 1}}})(\.([0-9]+))?")

    def read(value: Any) -> Decimal:
        if isinstance(value, Decimal):
            value = f"{value:f}"
        if not isinstance(value, str):
            raise PydanticCustomError("decimal_not_text", "write the number as text")
        match = pattern.fullmatch(value) if len(value) < 64 else None
        if match is None:
            raise PydanticCustomError("decimal_format", "not a plain decimal number", {"digits": digits})
        if len(match[3] or "") > places:
            raise PydanticCustomError("decimal_too_many_places", "too many decimal places", {"places": places})
        return Decimal(value)

    return read


def _decimal_schema(digits: int, places: int) -> dict[str, Any]:
    pattern = rf"^(0|[1-9][0-9]{{0,{digits - 1}}})(\.[0-9]{{1,{places}}})?$"
    return {"type": "string", "pattern": pattern, "description": "a decimal number as text, so that it stays exact"}


def _length(minimum: int, maximum: int) -> StringConstraints:
    return StringConstraints(strip_whitespace=True, min_length=minimum, max_length=maximum)


def _documented(pattern: str) -> Any:
    """A pattern for the readers of the API. Codes are looked up by the domain, which says better what to mend."""
    return Field(json_schema_extra={"pattern": f"^{pattern}$"})


Printable = AfterValidator(_printable)
Text = _documented(f"[^{_UNPRINTABLE}]*")
NamePart = Annotated[str, _length(1, 60), Printable, Text]
Address = Annotated[str, _length(1, 200), Printable, Text]
PartyName = Annotated[str, _length(1, 200), Printable, Text]
ActivityCode = Annotated[str, _length(1, 4), Printable, _documented("[0-9]{4}")]
AreaCode = Annotated[str, _length(1, 12), Printable, _documented("310106[0-9]{3}")]
PlaceCode = Annotated[str, StringConstraints(pattern="^[0-9]{6}([0-9]{3})?$")]
CountryCode = Annotated[str, _length(2, 2), Printable, _documented("[A-Z]{2}")]
CurrencyCode = Annotated[str, _length(3, 3), Printable, _documented("[A-Z]{3}")]
FactCode = Annotated[str, StringConstraints(pattern="^[a-z0-9_]{1,40}$")]
PermitFacts = Annotated[dict[FactCode, bool], Field(max_length=40)]
Words = Annotated[str, _length(1, 2_000), Printable, Text]
FieldPath = Annotated[str, _length(1, 80), Printable, _documented("[a-z_]+([.][a-z0-9_]+)*")]
Account = Annotated[str, _length(1, 120), Printable, Text]
GroupLabel = Annotated[str, _length(1, 20), Printable, Text]
Activities = Annotated[list[ActivityCode], Field(min_length=1, max_length=50)]
Capital = Annotated[
    Decimal,
    BeforeValidator(_decimal(CAPITAL_DIGITS, CAPITAL_PLACES)),
    WithJsonSchema(_decimal_schema(CAPITAL_DIGITS, CAPITAL_PLACES)),
]

Share = Annotated[
    Decimal,
    BeforeValidator(_decimal(SHARE_DIGITS, SHARE_PLACES)),
    WithJsonSchema(_decimal_schema(SHARE_DIGITS, SHARE_PLACES)),
]

Count = Annotated[int, Field(ge=0, le=10_000_000)]
Year = Annotated[int, Field(ge=1980, le=2200)]


class Form(BaseModel):
    """A body that people send: unknown fields are refused and inputs are not repeated in errors."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)
