"""What the live service can score: which features are indicators that our events state, in which form its rules say
their points, and the rules of a fitted scorecard."""

from collections.abc import Sequence
from typing import Literal

from services.risk.domain import ScorecardError
from services.risk.learning.arrays import Json
from services.risk.policy.indicators import Indicator, indicators
from services.risk.scorecards.documents import from_document

Form = Literal["count", "state", "age"]
"""A count earns so much a fact, up to a cap; a state by its band; an age until it is reached."""

STATES = frozenset({"registered_capital", "industry_risk", "entity_type", "shared_address_density"})
AGE_IN_MONTHS, AGE_IN_YEARS = "newly_registered", "age_years"
FEWER_IS_WORSE = frozenset({"permits_held"})
HISTORY_AS = "spot_check_fail_3y"
HISTORY = {"earlier_findings_12m": 12, "earlier_findings_36m": 36}
"""The features of history that facts of the service state too: an inspection that found something."""


def indicator(column: str) -> Indicator | None:
    """The indicator that a column is called after, by its own name or that of its fact."""
    by_own_name = {row.indicator: row for row in indicators().values()}
    return indicators().get(column) or by_own_name.get(column)


def form(feature: str) -> Form | None:
    """How rules can say the points of this feature; None if they cannot."""
    if feature in HISTORY:
        return "count"
    row = indicator(feature)
    if row is None or not row.produced or row.weight == 0 or feature in FEWER_IS_WORSE:
        return None
    if row.fact == AGE_IN_MONTHS:
        return "age"
    return "state" if feature in STATES else "count"


def direction(feature: str) -> int:
    """The direction that the policy declares for an indicator; 0 where it declares none."""
    row = indicator(feature)
    if row is None:
        return 0
    if form(feature) == "count":
        return 1
    return {"higher": 1, "lower": -1}.get(row.direction.partition("_")[0], 0)


def rules(terms: Sequence[Json], source: str) -> tuple[list[Json], list[Json]]:
    """The rules of these terms, and what cannot be said in rules with the reason. There is no half: either is empty."""
    unsayable = [{"feature": term["feature"], "reason": why} for term in terms if (why := _why_not(term))]
    return ([] if unsayable else [_rule(term, source) for term in terms]), unsayable


def _why_not(term: Json) -> str | None:
    feature = term["feature"]
    if term.get("form"):
        return None
    row = indicator(feature)
    if row is None:
        return "no indicator of the district's is called this"
    if not row.produced:
        return "no event states this indicator yet"
    if feature in FEWER_IS_WORSE:
        return "rules add points for what is there; here it is what is not there that counts"
    return "fitted in free bands; with --live it is fitted in the form that rules have"


def _rule(term: Json, source: str) -> Json:
    basis = {"source": source, "confidence": "setting"}
    feature = term["feature"]
    made = {"count": _count, "state": _state, "age": _age}[term["form"]](term)
    row = indicator(feature)
    return {
        "name": feature,
        "indicator": HISTORY_AS if row is None else row.fact,
        "cap": max(term["points"]),
        "required": term["form"] != "count",
        "steps": [{"at_least": None, **step, **basis} for step in made],
        **basis,
    }


def _count(term: Json) -> list[Json]:
    months = HISTORY.get(term["feature"])
    for ending, window in (("_12m", 12), ("_3y", 36)):
        months = window if term["feature"].endswith(ending) and months is None else months
    return [{"value_from": 1, "value_below": None, "within_months": months, "points": term["points"][1]}]


def _state(term: Json) -> list[Json]:
    edges = [None, *(int(edge) for edge in term["cuts"]), None]
    return [
        {"value_from": low, "value_below": below, "within_months": None, "points": points}
        for low, below, points in zip(edges, edges[1:], term["points"], strict=False)
        if points
    ]


def _age(term: Json) -> list[Json]:
    """Youngest first; a step that changes nothing is none."""
    months = 12 if term["feature"] == AGE_IN_YEARS else 1
    points = term["points"]
    return [
        {"value_from": None, "value_below": None, "within_months": int(end) * months, "points": earned}
        for end, earned, after in zip(term["cuts"], points, points[1:], strict=False)
        if earned != after
    ]


def unfit(document: Json) -> list[Json]:
    """What the service would refuse in a document that has rules."""
    try:
        from_document(document)
    except ScorecardError as error:
        return [{"feature": defect.at, "reason": defect.text} for defect in error.defects]
    return []
