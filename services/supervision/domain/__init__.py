"""The rules of supervision: pure functions over frozen values. Days, ids, seeds and the law are arguments."""

from services.supervision.domain.draw import (
    INSPECTORS_PER_VISIT,
    Draw,
    Inspector,
    TooFewInspectors,
    Visit,
    commitment,
    draw,
    send,
)
from services.supervision.domain.faults import Fault, FormReturned
from services.supervision.domain.plan import Plan, planned
from services.supervision.domain.policy import CLASSES, UNCLASSIFIED, CodeSet, Policy, RiskClass
from services.supervision.domain.record import Inputs, Listed, listed, made, public, record_digest
from services.supervision.domain.results import Finding, found

__all__ = [
    "CLASSES",
    "INSPECTORS_PER_VISIT",
    "UNCLASSIFIED",
    "CodeSet",
    "Draw",
    "Fault",
    "Finding",
    "FormReturned",
    "Inputs",
    "Inspector",
    "Listed",
    "Plan",
    "Policy",
    "RiskClass",
    "TooFewInspectors",
    "Visit",
    "commitment",
    "draw",
    "found",
    "listed",
    "made",
    "planned",
    "public",
    "record_digest",
    "send",
]
