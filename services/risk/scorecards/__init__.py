"""Scorecards: the one that a release brings, documents of scorecards, and those that the database holds."""

from services.risk.scorecards.documents import BESIDE, Document, from_document, to_document
from services.risk.scorecards.shipped import POLICY, load_scorecard, shipped
from services.risk.scorecards.stored import NoScorecard, hold_for_change, in_force, of_digest, read_in_force, shadows

current = shipped
"""Until every reader asks the database."""

__all__ = [
    "BESIDE",
    "POLICY",
    "Document",
    "NoScorecard",
    "current",
    "from_document",
    "hold_for_change",
    "in_force",
    "load_scorecard",
    "of_digest",
    "read_in_force",
    "shadows",
    "shipped",
    "to_document",
]
