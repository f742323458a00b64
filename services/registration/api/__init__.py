"""HTTP: parse -> one use case -> response."""

from libs.common.web.work import work_routes
from services.registration.api import (
    applications,
    batches,
    changes,
    documents,
    drafts,
    enterprises,
    false_registration,
    hand_over,
    history,
    impact,
    names,
    reports,
    review,
    screenings,
    signatures,
)
from services.registration.use_cases import COUNTERSIGNATURE, DEREGISTRATION, FALSE_REGISTRATION, HAND_OVER, REVIEW

QUEUES = (REVIEW, COUNTERSIGNATURE, DEREGISTRATION, FALSE_REGISTRATION, HAND_OVER)
queues = work_routes(dict.fromkeys(QUEUES, ("registrar",)))
routers = (
    screenings.api, names.questions, names.api, impact.api, drafts.api, batches.api, applications.api, signatures.api,
    changes.api, documents.uploads, documents.api, review.api, enterprises.api, reports.api, false_registration.api,
    history.api, hand_over.api, queues,
)  # fmt: skip
