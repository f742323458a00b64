"""HTTP: parse -> one use case -> response."""

from libs.common.web.work import work_routes
from services.licensing.api import notifications, permits, requirements
from services.licensing.use_cases.notifications import QUEUE as NOTIFICATIONS
from services.licensing.use_cases.permits import QUEUE as PERMITS

queues = work_routes({NOTIFICATIONS: ("licensing_officer",), PERMITS: ("licensing_officer",)})
routers = (requirements.api, permits.api, notifications.api, queues)
