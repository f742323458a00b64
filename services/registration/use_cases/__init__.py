"""The acts of the registry: load, decide, record, tell; one act to a file. The transaction is the caller's."""

from services.registration.use_cases.change_enterprise import change_enterprise
from services.registration.use_cases.corrections import (
    CORRECTIONS_OVERDUE,
    lapse_application,
    request_corrections,
    resubmit_application,
    withdraw_application,
)
from services.registration.use_cases.decide_application import RefusedByLaw, countersign_application, decide_application
from services.registration.use_cases.deregister_enterprise import (
    DEREGISTRATION,
    NOTICE_HAS_RUN,
    NoSuchDeregistration,
    complete_simplified_deregistration,
    decide_deregistration,
    object_to_deregistration,
    request_deregistration,
)
from services.registration.use_cases.documents import supply_document
from services.registration.use_cases.drafts import (
    DRAFT_ENDS,
    NoSuchDraft,
    begin_draft,
    drop_draft,
    end_draft,
    kept_until,
    save_draft,
)
from services.registration.use_cases.enterprise import EnterpriseUnknown
from services.registration.use_cases.false_registration import (
    FALSE_NOTICE_HAS_RUN,
    FALSE_REGISTRATION,
    NoSuchCase,
    decide_case,
    object_to_case,
    open_case,
    put_case_to_officer,
)
from services.registration.use_cases.hand_over import (
    HAND_OVER,
    HAND_OVER_OVERDUE,
    NoSuchHandOver,
    ask_after_matter,
    hand_over_matters,
    note_answer,
)
from services.registration.use_cases.hear import RevokedPermit, keep_restrictions, suspend_scope_items
from services.registration.use_cases.history import correct_history
from services.registration.use_cases.impact import COLUMNS as IMPACT_COLUMNS
from services.registration.use_cases.impact import Moved, edition_impact
from services.registration.use_cases.impact import cells as moved_cells
from services.registration.use_cases.import_enterprises import enter as enter_imported
from services.registration.use_cases.names import (
    NAME_ENDS,
    NoSuchReservation,
    check_name,
    end_name,
    enter_missing_names,
    grounds_kept,
    leave_name,
    release_name,
    reserve_name,
)
from services.registration.use_cases.note_legacy_form import note_legacy_form
from services.registration.use_cases.records import Judged, recorded
from services.registration.use_cases.replay_decision import Replayed, replay
from services.registration.use_cases.reports import (
    ANNUAL_OVERDUE,
    ORDER_ENDS,
    end_report_order,
    file_annual_report,
    file_change_report,
    miss_annual_report,
    order_report,
)
from services.registration.use_cases.review import (
    COUNTERSIGNATURE,
    REVIEW,
    NoSuchApplication,
    SecondOfficer,
    extend_review,
)
from services.registration.use_cases.sign_application import SIGNATURES_OVERDUE, sign_application
from services.registration.use_cases.submit_application import submit_application

__all__ = [
    "ANNUAL_OVERDUE",
    "CORRECTIONS_OVERDUE",
    "COUNTERSIGNATURE",
    "DEREGISTRATION",
    "DRAFT_ENDS",
    "FALSE_NOTICE_HAS_RUN",
    "FALSE_REGISTRATION",
    "HAND_OVER",
    "HAND_OVER_OVERDUE",
    "IMPACT_COLUMNS",
    "NAME_ENDS",
    "NOTICE_HAS_RUN",
    "ORDER_ENDS",
    "REVIEW",
    "SIGNATURES_OVERDUE",
    "EnterpriseUnknown",
    "Judged",
    "Moved",
    "NoSuchApplication",
    "NoSuchCase",
    "NoSuchDeregistration",
    "NoSuchDraft",
    "NoSuchHandOver",
    "NoSuchReservation",
    "RefusedByLaw",
    "Replayed",
    "RevokedPermit",
    "SecondOfficer",
    "ask_after_matter",
    "begin_draft",
    "change_enterprise",
    "check_name",
    "complete_simplified_deregistration",
    "correct_history",
    "countersign_application",
    "decide_application",
    "decide_case",
    "decide_deregistration",
    "drop_draft",
    "edition_impact",
    "end_draft",
    "end_name",
    "end_report_order",
    "enter_imported",
    "enter_missing_names",
    "extend_review",
    "file_annual_report",
    "file_change_report",
    "grounds_kept",
    "hand_over_matters",
    "keep_restrictions",
    "kept_until",
    "lapse_application",
    "leave_name",
    "miss_annual_report",
    "moved_cells",
    "note_answer",
    "note_legacy_form",
    "object_to_case",
    "object_to_deregistration",
    "open_case",
    "order_report",
    "put_case_to_officer",
    "recorded",
    "release_name",
    "replay",
    "request_corrections",
    "request_deregistration",
    "reserve_name",
    "resubmit_application",
    "save_draft",
    "sign_application",
    "submit_application",
    "supply_document",
    "suspend_scope_items",
    "withdraw_application",
]
