"""The acts of the registry: load, decide, record, tell; one act to a file. The transaction is the caller's."""

from services.registration.use_cases.change_enterprise import EnterpriseUnknown, change_enterprise
from services.registration.use_cases.corrections import (
    CORRECTIONS_OVERDUE,
    lapse_application,
    request_corrections,
    resubmit_application,
    withdraw_application,
)
from services.registration.use_cases.decide_application import RefusedByLaw, decide_application
from services.registration.use_cases.deregister_enterprise import (
    DEREGISTRATION,
    NOTICE_HAS_RUN,
    NoSuchDeregistration,
    complete_simplified_deregistration,
    decide_deregistration,
    request_deregistration,
)
from services.registration.use_cases.drafts import (
    DRAFT_ENDS,
    NoSuchDraft,
    begin_draft,
    drop_draft,
    end_draft,
    kept_until,
    save_draft,
)
from services.registration.use_cases.hear import RevokedPermit, keep_restrictions, suspend_scope_items
from services.registration.use_cases.records import Judged, recorded
from services.registration.use_cases.replay_decision import Replayed, replay
from services.registration.use_cases.review import REVIEW, NoSuchApplication, extend_review
from services.registration.use_cases.submit_application import submit_application

__all__ = [
    "CORRECTIONS_OVERDUE",
    "DEREGISTRATION",
    "DRAFT_ENDS",
    "NOTICE_HAS_RUN",
    "REVIEW",
    "EnterpriseUnknown",
    "Judged",
    "NoSuchApplication",
    "NoSuchDeregistration",
    "NoSuchDraft",
    "RefusedByLaw",
    "Replayed",
    "RevokedPermit",
    "begin_draft",
    "change_enterprise",
    "complete_simplified_deregistration",
    "decide_application",
    "decide_deregistration",
    "drop_draft",
    "end_draft",
    "extend_review",
    "keep_restrictions",
    "kept_until",
    "lapse_application",
    "recorded",
    "replay",
    "request_corrections",
    "request_deregistration",
    "resubmit_application",
    "save_draft",
    "submit_application",
    "suspend_scope_items",
    "withdraw_application",
]
