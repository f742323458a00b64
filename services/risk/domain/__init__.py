"""What the district knows about an enterprise, as facts, and what a scorecard makes of it on one date.

Pure, standard library only: events become facts, a set of facts has one state whatever order it came in, and a state
has one assessment per scorecard and date.
"""

from services.risk.domain.assessment import (
    Assessment,
    Contribution,
    SectorAssessment,
    add_months,
    assess,
    class_by_score,
    is_missing,
    step_of,
)
from services.risk.domain.facts import (
    ERASURE,
    FACT_ROWS,
    INDUSTRY,
    PRODUCED,
    RELATED,
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
    Defect,
    RiskClass,
    Rule,
    Scorecard,
    ScorecardError,
    Sector,
    Step,
)

__all__ = [
    "ERASURE",
    "FACT_ROWS",
    "INDUSTRY",
    "NOTHING",
    "PRODUCED",
    "RELATED",
    "SCALE",
    "Assessment",
    "Band",
    "Basis",
    "Contribution",
    "Defect",
    "Fact",
    "FactRow",
    "RiskClass",
    "Rule",
    "Scorecard",
    "ScorecardError",
    "Sector",
    "SectorAssessment",
    "Step",
    "UnreadableFact",
    "add_months",
    "assess",
    "class_by_score",
    "facts_of",
    "is_missing",
    "is_registered",
    "live_facts",
    "step_of",
]
