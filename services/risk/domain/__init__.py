"""What the district knows about an enterprise, as facts, and what a scorecard makes of it on one date.

Pure, standard library only: events become facts, a set of facts has one state whatever order it came in, and a state
has one assessment per scorecard and date.
"""

from services.risk.domain.assessment import Assessment, Contribution, add_months, assess, is_missing, step_of
from services.risk.domain.facts import (
    ERASURE,
    FACT_ROWS,
    PRODUCED,
    Fact,
    FactRow,
    UnreadableFact,
    facts_of,
    is_registered,
    live_facts,
)
from services.risk.domain.scorecard import (
    NOTHING,
    SCALE,
    Band,
    Basis,
    RiskClass,
    Rule,
    Scorecard,
    ScorecardError,
    Step,
)

__all__ = [
    "ERASURE",
    "FACT_ROWS",
    "NOTHING",
    "PRODUCED",
    "SCALE",
    "Assessment",
    "Band",
    "Basis",
    "Contribution",
    "Fact",
    "FactRow",
    "RiskClass",
    "Rule",
    "Scorecard",
    "ScorecardError",
    "Step",
    "UnreadableFact",
    "add_months",
    "assess",
    "facts_of",
    "is_missing",
    "is_registered",
    "live_facts",
    "step_of",
]
