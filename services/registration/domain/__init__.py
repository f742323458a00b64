"""The rules of registration: pure functions over frozen values. Days, ids and the law are arguments."""

from services.registration.domain.application import (
    Application,
    EnterpriseChange,
    EnterpriseName,
    Fault,
    FormReturned,
    Party,
    SubmitApplication,
    Term,
    change_faults,
    checked,
    checked_change,
    faults,
)
from services.registration.domain.decision import (
    Decision,
    Facts,
    checked_facts,
    decide,
    judge,
    recalled,
    recorded,
    recorded_investor,
)
from services.registration.domain.policy import DISTRICT, Policy
from services.registration.domain.screening import Finding, Outcome, Screening, screen
from services.registration.domain.structure import Investor, Structure

__all__ = [
    "DISTRICT",
    "Application",
    "Decision",
    "EnterpriseChange",
    "EnterpriseName",
    "Facts",
    "Fault",
    "Finding",
    "FormReturned",
    "Investor",
    "Outcome",
    "Party",
    "Policy",
    "Screening",
    "Structure",
    "SubmitApplication",
    "Term",
    "change_faults",
    "checked",
    "checked_change",
    "checked_facts",
    "decide",
    "faults",
    "judge",
    "recalled",
    "recorded",
    "recorded_investor",
    "screen",
]
