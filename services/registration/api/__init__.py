"""HTTP: parse -> one use case -> response."""

from libs.common.web.work import work_routes
from services.registration.api import applications, drafts, enterprises, review
from services.registration.use_cases import DEREGISTRATION, REVIEW

queues = work_routes({REVIEW: ("registrar",), DEREGISTRATION: ("registrar",)})
routers = (drafts.api, applications.api, review.api, enterprises.api, queues)
