"""Response bodies."""

from services.licensing.views.notifications import Notifications, NotificationView
from services.licensing.views.permits import (
    Applications,
    ApplicationView,
    CertificateView,
    Filings,
    FilingView,
    Permits,
    PermitView,
    certificate,
)
from services.licensing.views.requirements import Coverage, ReplayedView, ReplayView, RequirementsView

__all__ = [
    "ApplicationView",
    "Applications",
    "CertificateView",
    "Coverage",
    "FilingView",
    "Filings",
    "NotificationView",
    "Notifications",
    "PermitView",
    "Permits",
    "ReplayView",
    "ReplayedView",
    "RequirementsView",
    "certificate",
]
