"""Errors as RFC 9457 `application/problem+json`: a stable type, the field, and a sentence that says what to do.

Sentences are data (`messages.csv`: code, zh, en). What the caller sent is never repeated.
"""

import csv
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Literal, Protocol

Language = Literal["zh", "en"]
Catalogue = Mapping[str, Mapping[Language, str]]
TYPE_PREFIX = "urn:one-window:problem:"
COMMON = Path(__file__).with_name("messages.csv")


class FieldFault(Protocol):
    """One thing to mend: the field's path, a stable code, and figures for the sentence."""

    @property
    def field(self) -> str: ...
    @property
    def code(self) -> str: ...
    @property
    def params(self) -> Mapping[str, Any]: ...


class Problem(Exception):
    """A refusal that the caller can act on. `type` is the last part of the problem's type and a message code."""

    def __init__(
        self, type: str, status: int, faults: Sequence[FieldFault] = (), *,
        params: Mapping[str, Any] | None = None, retry_after: int | None = None,
    ) -> None:  # fmt: skip
        super().__init__(type)
        self.type, self.status, self.faults = type, status, faults
        self.params, self.retry_after = params or {}, retry_after

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
    """The sentence for a code, its figures filled in. Raises KeyError for an unknown code or a missing figure."""
    return catalogue[code][language].format_map(params)


@cache
def catalogue(*files: Path) -> Catalogue:
    """The common sentences and those of these files."""
    found: dict[str, dict[Language, str]] = {}
    for path in (COMMON, *files):
        with path.open(encoding="utf-8", newline="") as file:
            found.update({row["code"]: {"zh": row["zh"], "en": row["en"]} for row in csv.DictReader(file)})
    return found


def language_of(accept_language: str | None) -> Language:
    """Chinese, unless English stands before it in Accept-Language."""
    for wanted in (accept_language or "").lower().split(","):
        if wanted.strip().startswith("en"):
            return "en"
        if wanted.strip().startswith("zh"):
            return "zh"
    return "zh"
