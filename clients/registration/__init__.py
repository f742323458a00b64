"""A typed client of registration: forms one by one or by the thousand, lists, the feed of changes, licences.

async with Registration("http://127.0.0.1:8101", token=lambda: "...") as registry:
    async for line in registry.submit_all({"ours-0001": form, "ours-0002": another}):
        print(line.key, line.status, line.judged or line.problem)
"""

from clients.registration.client import Registration
from clients.registration.errors import NoAnswer, PlaceGone, Refused
from clients.registration.models import (
    Application,
    ApplicationForm,
    ApplicationItem,
    Change,
    Changes,
    Decision,
    Enterprise,
    EnterpriseChange,
    EnterpriseItem,
    EnterpriseName,
    Fault,
    Finding,
    Investor,
    Judged,
    LegalRepresentative,
    Licence,
    Line,
    Problem,
    Term,
)

__all__ = [
    "Application",
    "ApplicationForm",
    "ApplicationItem",
    "Change",
    "Changes",
    "Decision",
    "Enterprise",
    "EnterpriseChange",
    "EnterpriseItem",
    "EnterpriseName",
    "Fault",
    "Finding",
    "Investor",
    "Judged",
    "LegalRepresentative",
    "Licence",
    "Line",
    "NoAnswer",
    "PlaceGone",
    "Problem",
    "Refused",
    "Registration",
    "Term",
]
