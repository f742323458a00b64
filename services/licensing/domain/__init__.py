"""The rules of licensing: pure; what day it is and what the law says are arguments."""

from services.licensing.domain.catalogue import (
    Bar,
    Capital,
    Catalogue,
    Condition,
    DualCode,
    OrdinaryTerm,
    PermitItem,
    Round,
    Setting,
    StartException,
)
from services.licensing.domain.commitment import Bars, bars_against
from services.licensing.domain.requirements import (
    Contradiction,
    Due,
    Facts,
    Requirement,
    answered,
    contradictions,
    requirements,
    uncovered,
)

__all__ = [
    "Bar",
    "Bars",
    "Capital",
    "Catalogue",
    "Condition",
    "Contradiction",
    "DualCode",
    "Due",
    "Facts",
    "OrdinaryTerm",
    "PermitItem",
    "Requirement",
    "Round",
    "Setting",
    "StartException",
    "answered",
    "bars_against",
    "contradictions",
    "requirements",
    "uncovered",
]
