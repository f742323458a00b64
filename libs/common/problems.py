"""Errors as RFC 9457 `application/problem+json`: a stable type, the field, and a sentence that says what to do.

Sentences are data (`messages.csv`: code, zh, en). What the caller sent is never repeated.
"""

import csv
import dataclasses
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, Protocol

Language = Literal["zh", "en"]
Catalogue = Mapping[str, Mapping[Language, str]]
TYPE_PREFIX = "urn:one-window:problem:"
COMMON = Path(__file__).with_name("messages.csv")
UNSPOKEN = "value_not_accepted"
"""The sentence for a code that has none: an answer that says less is better than no answer."""

_WEIGHT = re.compile(r"q\s*=\s*(0(?:\.[0-9]{1,3})?|1(?:\.0{1,3})?)")
_FIELD_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")


class FieldFault(Protocol):
    """One thing to mend: the field's path, a stable code, and figures for the sentence."""

    @property
    def field(self) -> str: ...
    @property
    def code(self) -> str: ...
    @property
    def params(self) -> Mapping[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Fault:
    """A FieldFault as the common parts report it."""

    field: str
    code: str
    params: Mapping[str, Any] = dataclasses.field(default_factory=dict)


class Problem(Exception):
    """A refusal that the caller can act on. `type` is the last part of the problem's type and a message code."""

    def __init__(
        self, type: str, status: int, faults: Sequence[FieldFault] = (), *,
        params: Mapping[str, Any] | None = None, retry_after: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        super().__init__(type)
        self.type, self.status, self.faults = type, status, faults
        self.params, self.retry_after, self.headers = params or {}, retry_after, headers or {}

    def body(self, language: Language, catalogue: Catalogue) -> dict[str, Any]:
        """The problem document in one language."""
        document: dict[str, Any] = {
            "type": TYPE_PREFIX + self.type,
            "title": self.type.replace("-", " "),
            "status": self.status,
            "detail": sentence(self.type, language, catalogue, self.params),
        }
        if self.faults:
            document["errors"] = [
                {
                    "field": fault.field,
                    "code": fault.code,
                    "detail": sentence(fault.code, language, catalogue, fault.params),
                }
                for fault in self.faults
            ]
        return document


def sentence(code: str, language: Language, catalogue: Catalogue, params: Mapping[str, Any]) -> str:
    """The sentence for a code, its figures filled in; a general one where the code has none, or a figure is missing."""
    try:
        return catalogue[code][language].format_map(params)
    except KeyError:
        return catalogue[UNSPOKEN][language]


def field_path(parts: Sequence[int | str]) -> str:
    """`investors.0.share`: the path of a field."""
    return ".".join(str(part) if isinstance(part, int) else field_name(part) for part in parts)


def field_name(name: str) -> str:
    """The name of a field that a caller has made up: repeated where it can be one, `?` for anything else."""
    return name if _FIELD_NAME.fullmatch(name) else "?"


@cache
def catalogue(*files: Path) -> Catalogue:
    """The common sentences and those of these files."""
    found: dict[str, dict[Language, str]] = {}
    for path in (COMMON, *files):
        with path.open(encoding="utf-8", newline="") as file:
            found.update({row["code"]: {"zh": row["zh"], "en": row["en"]} for row in csv.DictReader(file)})
    return found


def language_of(accept_language: str | None) -> Language:
    """The language of the two that Accept-Language (RFC 9110 12.5.4) weighs higher; Chinese where it says nothing."""
    weights: dict[str, float] = {}
    for wanted in (accept_language or "").lower().split(","):
        tag, _, parameter = wanted.partition(";")
        weights.setdefault(tag.strip().partition("-")[0], _weight(parameter))
    otherwise = weights.get("*", 0.0)
    return "en" if weights.get("en", otherwise) > weights.get("zh", otherwise) else "zh"


def _weight(parameter: str) -> float:
    match = _WEIGHT.fullmatch(parameter.strip())
    return float(match[1]) if match else float(not parameter)
