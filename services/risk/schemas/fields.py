"""What the bodies of risk have in common."""

from typing import Annotated, Any

from pydantic import AfterValidator, ConfigDict, StringConstraints
from pydantic_core import PydanticCustomError


def _printable(text: str) -> str:
    """Lines and tabs are text; other control characters are not."""
    if not all(one.isprintable() or one in "\n\t" for one in text):
        raise PydanticCustomError("text_not_printable", "control characters are not allowed")
    return text


Words = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000), AfterValidator(_printable)
]
"""What a person writes for people."""


def asked(example: dict[str, Any]) -> ConfigDict:
    """A request body is strict: nothing unknown, nothing coerced."""
    return ConfigDict(
        extra="forbid", strict=True, frozen=True, hide_input_in_errors=True, json_schema_extra={"examples": [example]}
    )


def shown(example: dict[str, Any]) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [example]})
