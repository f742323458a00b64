"""The law that supervision goes by: items, result codes, ratios, ceilings and terms, each row with its source."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

RiskClass = Literal["A", "B", "C", "D"]
CodeSet = Literal["publicity_spot_check", "joint_inspection"]
Confidence = Literal["verified", "memory", "doubtful", "own_setting"]
Correction = Literal["none", "ordered", "met"]
Kind = Literal["general", "key"]

CLASSES: tuple[RiskClass, ...] = ("A", "B", "C", "D")
UNCLASSIFIED: RiskClass = "B"
"""An enterprise that risk has not classified yet is drawn at the normal ratio (国市监信发〔2022〕6号: B is normal)."""


@dataclass(frozen=True, slots=True)
class InspectionItem:
    """One item that may be inspected. `kind` (general: ratio limited; key: no ceiling) is the district's setting."""

    item_code: str
    item_zh: str
    item: str
    department: str
    legal_basis: str
    kind: Kind
    source: str
    confidence: Confidence


@dataclass(frozen=True, slots=True)
class SchemeRow:
    """A published ratio of one class, in percent; some schemes name their classes otherwise, or give a range."""

    scheme: str
    risk_class: str
    meaning: str
    ratio_min_pct: Decimal | None
    ratio_max_pct: Decimal | None
    frequency_or_policy: str
    source: str
    confidence: Confidence


@dataclass(frozen=True, slots=True)
class Ceiling:
    """The highest ratio of a class, in percent, in a task that holds a general item."""

    kind: Kind
    risk_class: RiskClass
    ratio_max_pct: Decimal
    source: str
    confidence: Confidence


@dataclass(frozen=True, slots=True)
class ResultCode:
    """One row of inspection_results.csv; `exclusive` ("no problem") stands alone."""

    code_set: Literal["publicity_spot_check", "joint_inspection", "disposition", "follow_up"]
    code: str
    result: str
    result_zh: str
    exclusive: bool | None
    source: str
    confidence: Confidence


@dataclass(frozen=True, slots=True)
class Reading:
    """What a result code means for what follows: the district's own reading."""

    code_set: CodeSet
    code: str
    problem: bool
    correction: Correction
    refused: bool
    unreachable: bool
    source: str
    confidence: Confidence


@dataclass(frozen=True, slots=True)
class Term:
    """A term in working days."""

    act: Literal["publication", "correction"]
    working_days: int
    source: str
    confidence: Confidence


@dataclass(frozen=True, slots=True)
class LegalBasis:
    """A rule that an inspection may rest on."""

    code: str
    title_zh: str
    title: str
    source: str
    confidence: Confidence


@dataclass(frozen=True, slots=True)
class Policy:
    """All of it, indexed. `schemes`: the ratio of each class by the scheme's name; `readings` by (code set, code)."""

    digest: str
    items: Mapping[str, InspectionItem]
    legal_bases: Mapping[str, LegalBasis]
    schemes: Mapping[str, Mapping[RiskClass, Decimal]]
    ceilings: Mapping[RiskClass, Decimal]
    results: Mapping[tuple[str, str], ResultCode]
    readings: Mapping[tuple[str, str], Reading]
    publication_days: int
    correction_days: int
