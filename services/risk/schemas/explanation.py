"""Why an enterprise is in its class, as the API says it. The working out is `domain.explanation`."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel

from services.risk.domain import Fact, RiskClass, Scorecard, assess, live_facts
from services.risk.domain.explanation import (
    AtDate,
    Change,
    Difference,
    FactLine,
    Line,
    WayDown,
    by_time,
    differences,
    explain,
    ways_down,
)
from services.risk.policy import indicators
from services.risk.published_events import LETTERS
from services.risk.schemas.enterprises import NOTICE, ClassLetter
from services.risk.schemas.fields import shown

_EVENT = "6b8068a8-eda0-4fb0-ab52-1ee405a275a6"
EXAMPLE: dict[str, Any] = {
    "uscc": "91310106MA0000015B", "assessed_on": "2026-03-05", "scorecard": "district-2026-2",
    "scorecard_digest": "7e377a5d2c72c09cebe5c44d0232b04fe47cdd1fbccad481fde4db6d7f812323",
    "score": 150, "risk_class": "C", "general_class": "C", "sectors": [],
    "lines": [
        {
            "rule": "unreachable", "indicator": "unreachable", "zh": "登记住所无法联系", "en": "Cannot be reached",
            "sector": None, "points": 100, "cap": 100, "at_least": "C",
            "facts": [
                {
                    "event_id": _EVENT, "legal_date": "2026-03-05", "stated_at": "2026-03-05T02:00:00Z", "value": 1,
                    "points": 100, "at_least": "C", "ends_on": None,
                }
            ],
        }
    ],
    "missing": [{"indicator": "tax_credit_grade", "zh": "纳税信用等级", "en": "Tax grade", "why": "no_producer"}],
    "since": {
        "at": "2026-01-05T02:00:00Z", "assessed_on": "2026-01-05", "score": 50, "risk_class": "B",
        "differences": [
            {
                "rule": "unreachable", "points_before": 0, "points_after": 100, "at_least_before": None,
                "at_least_after": "C", "new_event_ids": [_EVENT], "gone_event_ids": [], "by_time": False,
            }
        ],
    },
    "ways_down": [
        {"to": "B", "changes": [{"indicator": "unreachable", "zh": "登记住所无法联系", "en": "Cannot be reached",
                                 "event_id": _EVENT}], "score": 50},
        {"to": "A", "changes": None, "score": None},
    ],
    "by_time": [{"on": "2027-01-05", "score": 135, "risk_class": "C"}],
    "notice": NOTICE,
}  # fmt: skip


def _letter(risk_class: RiskClass | None) -> ClassLetter | None:
    return None if risk_class is None else LETTERS[risk_class]


class SectorStanding(BaseModel):
    """The class by the rules of one sector."""

    sector: str
    zh: str
    en: str
    score: int
    risk_class: ClassLetter


class FactView(BaseModel):
    """A fact that counts: what it adds before its rule's cap, and the day from which age alone changes that."""

    event_id: UUID
    legal_date: date
    stated_at: datetime
    value: int
    points: int
    at_least: ClassLetter | None
    ends_on: date | None

    @classmethod
    def of(cls, line: FactLine) -> Self:
        return cls(
            event_id=line.event_id, legal_date=line.legal_date, stated_at=line.stated_at, value=line.value,
            points=line.points, at_least=_letter(line.at_least), ends_on=line.ends_on,
        )  # fmt: skip


class LineView(BaseModel):
    """A rule that counts, in words, and the facts that it counts. `sector` is null for a general rule."""

    rule: str
    indicator: str
    zh: str
    en: str
    sector: str | None
    points: int
    cap: int
    at_least: ClassLetter | None
    facts: list[FactView]

    @classmethod
    def of(cls, line: Line) -> Self:
        zh, en = indicators.words(line.indicator)
        return cls(
            rule=line.rule, indicator=line.indicator, zh=zh, en=en, sector=line.sector, points=line.points,
            cap=line.cap, at_least=_letter(line.at_least), facts=[FactView.of(fact) for fact in line.facts],
        )  # fmt: skip


class MissingView(BaseModel):
    """An indicator that is unknown here: nobody has stated it of this enterprise, or nobody ever does."""

    indicator: str
    zh: str
    en: str
    why: Literal["not_stated", "no_producer"]


class DifferenceView(BaseModel):
    """A rule that counts otherwise than before; `by_time`: by age alone."""

    rule: str
    points_before: int
    points_after: int
    at_least_before: ClassLetter | None
    at_least_after: ClassLetter | None
    new_event_ids: list[UUID]
    gone_event_ids: list[UUID]
    by_time: bool

    @classmethod
    def of(cls, one: Difference) -> Self:
        return cls(
            rule=one.rule, points_before=one.points_before, points_after=one.points_after,
            at_least_before=_letter(one.at_least_before), at_least_after=_letter(one.at_least_after),
            new_event_ids=list(one.new_event_ids), gone_event_ids=list(one.gone_event_ids), by_time=one.by_time,
        )  # fmt: skip


class SinceView(BaseModel):
    """What was announced before the announcement that stands, and what differs from it, rule by rule."""

    at: datetime
    assessed_on: date
    score: int
    risk_class: ClassLetter
    differences: list[DifferenceView]


class ChangeView(BaseModel):
    """A fact that would have to count no more, by the event that stated it."""

    indicator: str
    zh: str
    en: str
    event_id: UUID

    @classmethod
    def of(cls, change: Change) -> Self:
        zh, en = indicators.words(change.indicator)
        return cls(indicator=change.indicator, zh=zh, en=en, event_id=change.event_id)


class WayDownView(BaseModel):
    """The fewest changes after which the class is `to` or lower; null where none lead there, only time or nothing."""

    to: ClassLetter
    changes: list[ChangeView] | None
    score: int | None

    @classmethod
    def of(cls, way: WayDown) -> Self:
        changes = None if way.changes is None else [ChangeView.of(change) for change in way.changes]
        return cls(to=way.to.name, changes=changes, score=way.score)


class AtDateView(BaseModel):
    """What time alone makes of it from a day on."""

    on: date
    score: int
    risk_class: ClassLetter

    @classmethod
    def of(cls, at: AtDate) -> Self:
        return cls(on=at.on, score=at.score, risk_class=at.risk_class.name)


class ExplanationView(BaseModel):
    """Why the class is what it is, what has changed since the announcement before, and what would lower it."""

    model_config = shown(EXAMPLE)

    uscc: str
    assessed_on: date
    scorecard: str
    scorecard_digest: str
    score: int
    risk_class: ClassLetter
    general_class: ClassLetter
    sectors: list[SectorStanding]
    lines: list[LineView]
    missing: list[MissingView]
    since: SinceView | None
    ways_down: list[WayDownView]
    by_time: list[AtDateView]
    notice: str = NOTICE

    @classmethod
    def of(
        cls, uscc: str, facts: Sequence[Fact], on: date, scorecard: Scorecard, before: Mapping[str, Any] | None,
        its_scorecard: Scorecard | None,
    ) -> Self:  # fmt: skip
        """`before`: the row of the announcement before, with the scorecard that it was made by."""
        explained = explain(facts, on, scorecard)
        judged = explained.assessment
        nobody_states = (row.indicator for row in indicators.without_producer())
        return cls(
            uscc=uscc,
            assessed_on=on,
            scorecard=scorecard.name,
            scorecard_digest=scorecard.digest,
            score=judged.score,
            risk_class=judged.risk_class.name,
            general_class=judged.general_class.name,
            sectors=[_standing(one.sector, one.score, one.risk_class) for one in judged.sectors],
            lines=[LineView.of(line) for line in explained.lines],
            missing=[_missing(indicator) for indicator in sorted({*judged.missing, *nobody_states})],
            since=None
            if before is None or its_scorecard is None
            else _since(facts, on, scorecard, before, its_scorecard),
            ways_down=[WayDownView.of(way) for way in ways_down(facts, on, scorecard, indicators.mendable())],
            by_time=[
                AtDateView(on=at.on, score=at.score, risk_class=at.risk_class.name)
                for at in by_time(facts, on, scorecard)
            ],
        )


def _since(
    facts: Sequence[Fact], on: date, scorecard: Scorecard, before: Mapping[str, Any], its_scorecard: Scorecard
) -> SinceView:
    """The facts of then are those that were stated until then."""
    then = assess([fact for fact in facts if fact.stated_at <= before["at"]], before["assessed_on"], its_scorecard)
    standing = {fact.event_id for fact in live_facts(facts)}
    return SinceView(
        at=before["at"], assessed_on=before["assessed_on"], score=before["score"],
        risk_class=RiskClass(before["after"]).name,
        differences=[DifferenceView.of(one) for one in differences(then, assess(facts, on, scorecard), standing)],
    )  # fmt: skip


def _standing(sector: str, score: int, risk_class: RiskClass) -> SectorStanding:
    zh, en = indicators.words(sector)
    return SectorStanding(sector=sector, zh=zh, en=en, score=score, risk_class=risk_class.name)


def _missing(indicator: str) -> MissingView:
    zh, en = indicators.words(indicator)
    why: Literal["not_stated", "no_producer"] = "not_stated" if indicators.is_produced(indicator) else "no_producer"
    return MissingView(indicator=indicator, zh=zh, en=en, why=why)
