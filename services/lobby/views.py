"""What events and codes are in words: the lines of a timeline, the states of a case, modes and marks. Pure."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.lobby import words
from services.lobby.names import name_of
from services.lobby.words import N_

SOURCES: Mapping[str, str] = {
    "registration": N_("Registration"),
    "licensing": N_("Licensing"),
    "supervision": N_("Supervision"),
    "credit": N_("Credit"),
    "risk": N_("Risk classification"),
    "lobby": N_("Lobby"),
    "issuer": N_("Sign-in"),
}

SENTENCES: Mapping[str, str] = {
    "registration.application_submitted": N_("Application received"),
    "registration.signatures_requested": N_("Form filled in; to be signed by %(due_on)s"),
    "registration.corrections_requested": N_("Sent back for correction by %(due_on)s"),
    "registration.application_decided": N_("Application closed"),
    "registration.application_decided:registered": N_("Application granted"),
    "registration.application_decided:refused": N_("Application refused"),
    "registration.application_decided:withdrawn": N_("Application withdrawn by the applicant"),
    "registration.application_decided:lapsed": N_("Application lapsed: corrections or signatures did not come in time"),
    "registration.enterprise_registered": N_("Enterprise registered; electronic licence issued"),
    "registration.enterprise_taken_over": N_("Taken over from an older register; registered on %(registered_on)s"),
    "registration.enterprise_changed": N_("Registered items changed"),
    "registration.information_report_filed": N_("Information report filed"),
    "registration.information_report_filed:annual": N_("Annual report of %(year)s filed"),
    "registration.information_report_overdue": N_("Information report missing"),
    "registration.information_report_overdue:window": N_(
        "Annual report of %(year)s missing; ordered until %(order_until)s"
    ),
    "registration.information_report_overdue:order": N_("Information report not filed in the time ordered"),
    "registration.false_registration_noticed": N_("Registration said to be false; objections until %(notice_until)s"),
    "registration.registration_withdrawn": N_("Registration withdrawn"),
    "registration.matters_handed_over": N_("Follow-on matters handed over: %(matters)s"),
    "registration.matter_settled": N_("Follow-on matter settled: %(matter)s"),
    "registration.matter_settled:done": N_("Follow-on matter done: %(matter)s"),
    "registration.matter_settled:returned": N_("Follow-on matter returned: %(matter)s"),
    "registration.deregistration_requested": N_("Deregistration requested"),
    "registration.deregistration_requested:simplified": N_(
        "Deregistration requested; public notice until %(notice_until)s"
    ),
    "registration.deregistration_refused": N_("Deregistration refused"),
    "registration.deregistration_refused:objection": N_("Simplified deregistration ended: somebody objected"),
    "registration.enterprise_deregistered": N_("Enterprise deregistered"),
    "registration.scope_item_suspended": N_("Business suspended in: %(activities)s"),
    "licensing.permit_requirements_determined": N_("Permits and filings worked out: %(requirements)s"),
    "licensing.department_notified": N_("%(department)s notified of: %(item_id)s"),
    "licensing.notification_claimed": N_("%(department)s has taken charge of: %(item_id)s"),
    "licensing.notification_returned": N_("%(department)s has returned: %(item_id)s"),
    "licensing.notification_overdue": N_("%(department)s has not answered in time: %(item_id)s"),
    "licensing.permit_granted": N_("Granted: %(item_id)s"),
    "licensing.permit_granted:notification_commitment": N_("Granted at once on commitment: %(item_id)s"),
    "licensing.permit_refused": N_("Refused: %(item_id)s"),
    "licensing.permit_revoked": N_("Revoked: %(item_id)s"),
    "licensing.commitment_given": N_("Commitment signed for %(item_id)s; it is checked by %(check_by)s"),
    "licensing.commitment_unkept": N_("Commitment found not kept: %(item_id)s"),
    "licensing.filing_recorded": N_("Filing recorded: %(item_id)s"),
    "supervision.draw_made": N_("Draw made: %(objects)s enterprises"),
    "supervision.inspection_assigned": N_("Inspection assigned, code %(code)s"),
    "supervision.inspection_completed:false": N_("Inspection completed: no problem found"),
    "supervision.inspection_completed:true": N_("Inspection completed: %(codes)s"),
    "supervision.result_published": N_("Inspection result published: %(codes)s"),
    "supervision.correction_ordered": N_("Correction ordered, to be made by %(due_on)s"),
    "supervision.correction_met": N_("Correction checked and met"),
    "supervision.correction_overdue": N_("Correction not made in time"),
    "credit.record_accepted": N_("Credit record entered"),
    "credit.record_accepted:ground": N_("Credit record entered: %(ground)s"),
    "credit.record_rejected": N_("Record from the city rejected (%(reason)s)"),
    "credit.record_erased": N_("Credit record erased"),
    "credit.subject_listed": N_("Entered on the %(list)s: %(ground)s"),
    "credit.subject_delisted": N_("Removed from the %(list)s"),
    "credit.repair_applied": N_("Credit repair applied for; decision by %(decide_by)s"),
    "credit.repair_decided:true": N_("Credit repair granted"),
    "credit.repair_decided:false": N_("Credit repair refused"),
    "credit.restriction_changed": N_("Notification and commitment is open again"),
    "credit.restriction_changed:commitment_mode": N_("Notification and commitment is closed to this enterprise"),
    "risk.class_changed": N_("Class %(before)s to class %(risk_class)s, %(score)s points"),
    "risk.class_changed:first": N_("First classified: class %(risk_class)s, %(score)s points"),
    "risk.related_party_signalled": N_("Enterprise %(record)s: %(indicator)s, since %(since)s"),
    "risk.related_party_signalled:domicile": N_("%(value)s or more enterprises at its address, since %(since)s"),
    "risk.related_party_signalled:ended": N_("No longer: %(indicator)s"),
}
"""By type without its version; where a code decides on the words, by type and that code's value."""
UNTOLD = N_("Something was recorded")
VARIANTS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "registration.application_decided": lambda codes: str(codes["outcome"]),
    "registration.matter_settled": lambda codes: str(codes["outcome"]),
    "registration.information_report_filed": lambda codes: str(codes["kind"]),
    "registration.information_report_overdue": lambda codes: str(codes["missed"]),
    "registration.deregistration_requested": lambda codes: str(codes["procedure"]),
    "registration.deregistration_refused": lambda codes: str(codes["refused_by"]),
    "licensing.permit_granted": lambda codes: str(codes["mode"]),
    "supervision.inspection_completed": lambda codes: "true" if codes["problem"] else "false",
    "credit.record_accepted": lambda codes: "ground" if codes.get("ground") else "",
    "credit.repair_decided": lambda codes: "true" if codes["granted"] else "false",
    "credit.restriction_changed": lambda codes: ",".join(codes["restrictions"]),
    "risk.class_changed": lambda codes: "" if codes["before"] else "first",
    "risk.related_party_signalled": lambda codes: codes["record"] if codes["value"] else "ended",
}
BAD = frozenset(
    {
        "registration.application_decided:refused", "registration.application_decided:lapsed",
        "registration.false_registration_noticed", "registration.registration_withdrawn",
        "registration.information_report_overdue:window", "registration.information_report_overdue:order",
        "registration.deregistration_refused", "registration.deregistration_refused:objection",
        "registration.scope_item_suspended", "licensing.permit_refused", "licensing.permit_revoked",
        "licensing.commitment_unkept", "supervision.inspection_completed:true", "supervision.correction_overdue",
        "supervision.correction_ordered", "credit.subject_listed", "credit.repair_decided:false",
        "credit.record_accepted:ground", "credit.restriction_changed:commitment_mode", "licensing.notification_overdue",
        "credit.record_rejected",
    }
)  # fmt: skip
FIRST_ACTS = (
    "registration.application_submitted",
    "registration.application_decided",
    "registration.enterprise_registered",
    "licensing.permit_requirements_determined",
)
STAFF_ONLY = frozenset(
    {"supervision.inspection_assigned", "licensing.notification_returned", "licensing.notification_overdue"}
)
"""Not for the enterprise: who knows of a visit beforehand is not inspected at random."""
LISTS: Mapping[str, str] = {
    "abnormal_operation": N_("abnormal operation list"),
    "serious_illegal_dishonest": N_("serious illegal and dishonest list"),
}
MODES: Mapping[str, str] = {
    "direct_cancellation": N_("Permit cancelled: nothing to apply for"),
    "approval_to_filing": N_("Filing only"),
    "notification_commitment": N_("Notification and commitment"),
    "optimised_access": N_("Optimised approval"),
    "none": N_("Ordinary permit"),
    "unknown": N_("Reform mode not known"),
}
SIGNED_BY: Mapping[str, str] = {
    "account": N_("Signed"), "document": N_("Signed on paper"), "declared": N_("Declared to be signed"),
}  # fmt: skip
LIKENESSES: Mapping[str, str] = {
    "same": N_("the same trade name"), "same_core": N_("almost the same trade name"),
    "same_sound": N_("sounds the same"),
}  # fmt: skip
CONFIDENCE: Mapping[str, str] = {
    "verified": N_("checked against the text"),
    "memory": N_("not yet checked against the text"),
    "doubtful": N_("doubtful"),
}
STATES: Mapping[str, tuple[str, str]] = {
    "registered": (N_("Registered"), "green"),
    "in_review": (N_("With an officer"), "blue"),
    "corrections_requested": (N_("You must correct"), "orange"),
    "awaiting_signatures": (N_("Waits for signatures"), "yellow"),
    "refused": (N_("Refused"), "red"),
    "withdrawn": (N_("Withdrawn"), "grey"),
    "lapsed": (N_("Lapsed"), "grey"),
    "deregistration_filed": (N_("Has asked to leave"), "yellow"),
    "deregistered": (N_("Deregistered"), "grey"),
}
"""A case's or an enterprise's state in words, and the colour of its mark."""
BECAUSE: Mapping[str, str] = {
    "registered": N_("Registered"), "changed": N_("Changed"), "corrected": N_("Corrected"),
    "deregistered": N_("Deregistered"), "withdrawn": N_("Registration withdrawn"),
    "taken_over": N_("Taken over from an older register"),
}  # fmt: skip
"""Why the register has held something from then on."""
PURPOSES: Mapping[str, str] = {
    "supervision_planning": N_("Planning of supervision"),
    "case_handling": N_("Handling of a case"),
    "complaint_handling": N_("Handling of a complaint"),
    "policy_analysis": N_("Analysis of policy"),
    "audit": N_("Audit"),
}
FOLLOW_ON: Mapping[str, str] = {
    "seal": N_("company seal"),
    "tax": N_("tax"),
    "social_insurance": N_("social insurance"),
    "provident_fund": N_("housing provident fund"),
    "bank_account": N_("bank account"),
}
CLASSES: Mapping[str, str] = {
    "A": N_("Class A, low risk"),
    "B": N_("Class B, general risk"),
    "C": N_("Class C, higher risk"),
    "D": N_("Class D, high risk"),
}
OWNERSHIPS: Mapping[str, str] = {"foreign": N_("Foreign-invested"), "domestic": N_("Domestic")}
WARNING_KINDS: Mapping[str, str] = {
    "sudden_rise": N_("Sudden rise of the score"),
    "address_cluster": N_("Many enterprises at one address"),
    "agent_cluster": N_("Many new enterprises of one agent"),
    "sector_findings": N_("Several findings in one sector"),
}
WARNING_STATES: Mapping[str, str] = {
    "open": N_("Not taken up"), "acknowledged": N_("Taken up"), "closed": N_("Closed"),
}  # fmt: skip
OUTCOMES: Mapping[str, str] = {
    "handled": N_("Handled"), "no_cause": N_("No cause for anything"), "referred": N_("Referred to somebody else"),
}  # fmt: skip
OVERRIDE_STATES: Mapping[str, str] = {
    "waiting": N_("Waits for a second signature"), "in_force": N_("Holds"), "ended": N_("Ended"),
}  # fmt: skip
OVERRIDE_ENDS: Mapping[str, str] = {
    "expired": N_("Its day has come"), "withdrawn": N_("Withdrawn"), "replaced": N_("Replaced by a later one"),
}  # fmt: skip
CARD_STATES: Mapping[str, tuple[str, str]] = {
    "draft": (N_("Draft"), "grey"), "shadow": (N_("In comparison"), "blue"), "active": (N_("In force"), "green"),
    "retired": (N_("Was in force"), "grey"), "withdrawn": (N_("Given up"), "grey"),
}  # fmt: skip
CARD_ACTS: Mapping[str, str] = {
    "drafted": N_("Drafted"), "edited": N_("Edited"), "shadow_begun": N_("Comparison begun"),
    "scored": N_("Every enterprise is scored by it"), "proposed": N_("Proposed to put it in force"),
    "refused": N_("Proposal refused"), "activated": N_("Put in force"), "replaced": N_("Replaced by another one"),
    "rollback_proposed": N_("Proposed to go back to it"), "rolled_back_to": N_("Gone back to it"),
    "withdrawn": N_("Given up"), "retired": N_("Comparison ended"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a timeline."""

    time: datetime
    source: str
    words: str
    bad: bool


def lines(rows: Iterable[Mapping[str, Any]], *, staff: bool) -> list[Line]:
    """The lines of a timeline, the latest first; what is for staff alone is left out for others."""
    shown_to_reader = [row for row in rows if staff or _base(row["type"]) not in STAFF_ONLY]
    return [line(row) for row in sorted(shown_to_reader, key=_place, reverse=True)]


def _place(row: Mapping[str, Any]) -> tuple[datetime, int, datetime]:
    """By the minute, as it is shown; within a minute by the order of the procedure, since topics are not ordered
    against each other."""
    base = _base(row["type"])
    order = FIRST_ACTS.index(base) if base in FIRST_ACTS else len(FIRST_ACTS)
    return row["time"].replace(second=0, microsecond=0), order, row["time"]


def line(row: Mapping[str, Any]) -> Line:
    base = _base(row["type"])
    codes = row["codes"]
    variant = VARIANTS[base](codes) if base in VARIANTS else ""
    key = f"{base}:{variant}" if f"{base}:{variant}" in SENTENCES else base
    figures = {name: shown(name, value) for name, value in codes.items()}
    said = words.say(SENTENCES.get(key, UNTOLD), **figures)
    return Line(row["time"], words.say(SOURCES[base.partition(".")[0]]), said, key in BAD)


def _base(type: str) -> str:
    return type.rpartition(".")[0]


def shown(name: str, value: Any) -> str:
    """A code of an event as a reader is given it."""
    if value is None:
        return ""
    if name in _SHOWN:
        return _SHOWN[name](value)
    return str(value)


def _join(parts: Iterable[str]) -> str:
    return ("、" if words.language.get() == "zh" else ", ").join(dict.fromkeys(parts))


def _item(code: str) -> str:
    return name_of("permit_item", code)


_SHOWN: Mapping[str, Callable[[Any], str]] = {
    "item_id": _item,
    "permit_item": _item,
    "department": lambda code: name_of("department", code),
    "ground": lambda code: name_of("credit_ground", code),
    "list": lambda code: words.say(LISTS.get(code, code)),
    "matter": lambda code: words.say(FOLLOW_ON.get(code, code)),
    "matters": lambda codes: _join(words.say(FOLLOW_ON.get(code, code)) for code in codes),
    "activities": lambda codes: _join(name_of("industry", code) for code in codes),
    "codes": lambda rows: _join(name_of("inspection_result", f"{row['code_set']}:{row['code']}") for row in rows),
    "requirements": lambda rows: str(len({row["item_id"] for row in rows})),
    "indicator": lambda code: name_of("indicator", code),
    "since": words.day,
    "due_on": words.day,
    "notice_until": words.day,
    "order_until": words.day,
    "claim_by": words.day,
    "check_by": words.day,
    "decide_by": words.day,
}


def working_order(status: str) -> int:
    """Cases in which the applicant must act come first, then those under way, then the rest."""
    return {"corrections_requested": 0, "awaiting_signatures": 1, "in_review": 2}.get(status, 3)
