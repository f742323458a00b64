"""Bodies of scorecards: the document (docs/scorecards.md), the versions of it, and what people do with them."""

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, Field

from libs.common.web.fields import Day
from services.risk.domain import PRODUCED
from services.risk.schemas.enterprises import NOTICE, ClassLetter
from services.risk.schemas.fields import Words, asked, shown

ScorecardState = Literal["draft", "shadow", "active", "retired", "withdrawn"]
Confidence = Literal["verified", "memory", "doubtful", "setting"]
Name = Annotated[str, Field(pattern="^[a-z0-9][a-z0-9-]{0,59}$", description="lower-case letters, digits and hyphens")]
Code = Annotated[str, Field(pattern="^[a-z0-9_]{1,60}$", description="lower-case letters, digits and underscores")]
Source = Annotated[str, Field(min_length=1, max_length=500)]
Points = Annotated[int, Field(ge=0, le=10_000)]
Industry = Annotated[int, Field(ge=0, le=10_000)]
Bounds = Annotated[list[Industry], Field(min_length=2, max_length=2)]
Value = Annotated[int, Field(ge=-(10**16), le=10**16)]

SETTING: dict[str, Any] = {"source": "district's own setting", "confidence": "setting"}
DOCUMENT: dict[str, Any] = {
    "name": "district-2026-2",
    "valid_from": "2026-07-01",
    "rules": [
        {
            "name": "penalties_3y", "indicator": "penalties_3y", "cap": 50, "required": False, **SETTING,
            "steps": [
                {
                    "value_from": 1, "value_below": None, "within_months": 36, "points": 10, "at_least": None,
                    **SETTING,
                }
            ],
        }
    ],
    "bands": [
        {"risk_class": letter, "from_score": score, **SETTING}
        for letter, score in (("A", 0), ("B", 50), ("C", 150), ("D", 300))
    ],
}  # fmt: skip
SECTOR: dict[str, Any] = {
    "name": "catering", "industries": [[6200, 6300]], "rules": DOCUMENT["rules"], "bands": DOCUMENT["bands"], **SETTING,
}  # fmt: skip
DIGEST = "7e377a5d2c72c09cebe5c44d0232b04fe47cdd1fbccad481fde4db6d7f812323"
SUMMARY: dict[str, Any] = {
    "digest": DIGEST, "name": "district-2026-2", "valid_from": "2026-07-01", "state": "shadow",
    "drafted_by": "analyst-1", "drafted_at": "2026-01-05T02:00:00Z", "version": 3,
    "progress": {"done": 2_400_000, "total": 3_000_000, "complete_since": None}, "proposal": None,
}  # fmt: skip
RULES_CSV = "rule,indicator,cap,required,valid_from,source,confidence\npenalties_3y,penalties_3y,50,no,2026-07-01,…"
STEPS_CSV = "rule,value_from,value_below,within_months,points,at_least,valid_from,source,confidence\npenalties_3y,1,…"
BANDS_CSV = "risk_class,from_score,valid_from,source,confidence\nA,0,2026-07-01,district's own setting,setting\nB,…"


class WithBasis(BaseModel):
    """What a row rests on, and how sure that is (`setting`: the district's own, nothing to verify)."""

    source: Source
    confidence: Confidence


class StepDocument(WithBasis):
    """What a fact earns with value_from <= value < value_below (null: open) while younger than within_months (null: as
    long as its record stands)."""

    model_config = asked(DOCUMENT["rules"][0]["steps"][0])

    value_from: Value | None = None
    value_below: Value | None = None
    within_months: int | None = None
    points: Points
    at_least: ClassLetter | None = None


class RuleDocument(WithBasis):
    """Every live fact of the indicator earns by its steps; the points add up to `cap` at most."""

    model_config = asked(DOCUMENT["rules"][0])

    name: Code
    indicator: Code
    cap: Points
    required: bool
    steps: list[StepDocument] = Field(max_length=200)


class BandDocument(WithBasis):
    """The score from which a class begins."""

    model_config = asked(DOCUMENT["bands"][0])

    risk_class: ClassLetter
    from_score: Points


class SectorDocument(WithBasis):
    """A sector's own rules and bands, for enterprises whose main industry (a GB/T 4754 class) is in one of the ranges,
    each without its end. It can only raise the general class."""

    model_config = asked(SECTOR)

    name: Code
    industries: list[Bounds] = Field(min_length=1, max_length=100)
    rules: list[RuleDocument] = Field(max_length=200)
    bands: list[BandDocument] = Field(max_length=10)


class ScorecardDocument(BaseModel):
    """A scorecard as one document. `features` and `provenance` are kept and shown; they decide nothing."""

    model_config = asked(DOCUMENT)

    name: Name
    valid_from: Day
    rules: list[RuleDocument] = Field(max_length=200)
    bands: list[BandDocument] = Field(max_length=10)
    sectors: list[SectorDocument] = Field(default_factory=list, max_length=50)
    features: dict[str, Any] | None = None
    provenance: dict[str, Any] | None = None

    def document(self) -> dict[str, Any]:
        """As it is kept."""
        return self.model_dump(mode="json", exclude_none=False)


class ReasonForm(BaseModel):
    """Why somebody does this; it is kept in the history of the scorecard."""

    model_config = asked({"reason": "对比结果已审阅：C、D 类企业增加 1.2%，符合预期。"})

    reason: Words


class TablesForm(BaseModel):
    """A scorecard as the tables that a release keeps in policy/<name>/, each as the text of its CSV file."""

    model_config = asked({"name": "district-2026-2", "rules": RULES_CSV, "steps": STEPS_CSV, "bands": BANDS_CSV})

    name: Name
    rules: str
    steps: str
    bands: str
    sectors: str | None = None


class ProgressView(BaseModel):
    """How many enterprises are scored beside the one in force; `complete_since`: all of them, and they stay so."""

    done: int
    total: int | None
    complete_since: datetime | None


class ProposalView(BaseModel):
    """A proposal to put it in force, which somebody else has to sign."""

    reason: str
    proposed_by: str
    proposed_at: datetime
    rollback: bool
    replaces: str


class ListedScorecard(BaseModel):
    """A scorecard and how far it has come."""

    digest: str
    name: str
    valid_from: date
    state: ScorecardState
    drafted_by: str
    drafted_at: datetime
    version: int
    progress: ProgressView | None
    proposal: ProposalView | None

    @classmethod
    def of(cls, row: Mapping[str, Any], **more: Any) -> Self:
        """From a row of the repository's queries."""
        progress = {"done": row["scored"], "total": row["to_score"], "complete_since": row["scored_at"]}
        return cls.model_validate({
            **row,
            "valid_from": date.fromisoformat(row["valid_from"]),
            "progress": progress if row["state"] == "shadow" else None,
            "proposal": None if row["proposal"] is None else json.loads(row["proposal"]),
            **more,
        })  # fmt: skip


class HistoryLine(BaseModel):
    """What was done with it, by whom and why."""

    digest: str
    act: str
    by: str
    at: datetime
    reason: str | None


class ScorecardView(ListedScorecard):
    """A scorecard whole. `unknown_indicators`: no event states them yet, so that their rules count nothing and are
    shown as missing."""

    model_config = shown({**SUMMARY, "document": DOCUMENT, "unknown_indicators": [], "history": [], "notice": NOTICE})

    document: dict[str, Any]
    unknown_indicators: list[str]
    history: list[HistoryLine]
    notice: str = NOTICE

    @classmethod
    def whole(cls, row: Mapping[str, Any], history: Sequence[Mapping[str, Any]]) -> Self:
        document = json.loads(row["content"])
        parts = [document, *document.get("sectors", ())]
        named = {rule["indicator"] for part in parts for rule in part["rules"]}
        return cls.of(row, document=document, unknown_indicators=sorted(named - PRODUCED), history=history)


class ScorecardPage(BaseModel):
    """A page of scorecards, the newest first."""

    model_config = shown({"items": [SUMMARY], "next": None, "notice": NOTICE})

    items: list[ListedScorecard]
    next: str | None
    notice: str = NOTICE
