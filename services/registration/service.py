"""The only wiring of registration."""

import json

import asyncpg

from libs.common import work
from libs.common.clock import Clock
from libs.common.database import Database
from libs.common.envelope import Incoming
from libs.common.problems import Problem
from libs.common.service import Service
from services.registration import policy, reactions, repository, use_cases
from services.registration.api import routers
from services.registration.domain import (
    FormReturned,
    false_registration,
    hand_over,
    legacy,
    reports,
    signing,
    standing,
    states,
)
from services.registration.domain.uscc import serial_of
from services.registration.published_events import EnterpriseRegistered
from services.registration.settings import Settings


async def read_the_law(database: Database, _clock: Clock) -> None:
    """Refuse to serve when the policy files contradict themselves; enter the names of before names were kept."""
    await use_cases.enter_missing_names(database, policy.current())


async def lift_serials(connection: asyncpg.Connection, adopted: list[Incoming]) -> list[str]:
    """After a restore: no identifier that the topic knows is given out again."""
    serials = [serial_of(event.subject) for event in adopted if event.type == EnterpriseRegistered.type]
    if not serials:
        return []
    stands = await repository.lift_serial(connection, max(serials))
    applications = [json.loads(event.data)["application_id"] for event in adopted if "enterprise_reg" in event.type]
    return [f"USCC serials go on above {stands}.", f"Applications to enter again: {', '.join(applications)}."]


NOT_THERE = (
    use_cases.EnterpriseUnknown,
    use_cases.NoSuchApplication,
    use_cases.NoSuchCase,
    use_cases.NoSuchHandOver,
    use_cases.NoSuchDeregistration,
    use_cases.NoSuchDraft,
    use_cases.NoSuchReservation,
)

service = Service(
    name="registration",
    settings=Settings,
    routers=routers,
    hears=["licensing", "credit"],
    apply=reactions.table.apply,
    when_due={
        use_cases.DRAFT_ENDS: reactions.when_a_draft_ends,
        use_cases.CORRECTIONS_OVERDUE: reactions.when_an_application_is_overdue,
        use_cases.SIGNATURES_OVERDUE: reactions.when_an_application_is_overdue,
        use_cases.NAME_ENDS: reactions.when_a_name_ends,
        use_cases.NOTICE_HAS_RUN: reactions.when_a_notice_has_run,
        use_cases.ANNUAL_OVERDUE: reactions.when_an_annual_report_is_overdue,
        use_cases.ORDER_ENDS: reactions.when_a_report_order_ends,
        use_cases.FALSE_NOTICE_HAS_RUN: reactions.when_a_false_notice_has_run,
        use_cases.HAND_OVER_OVERDUE: reactions.when_a_matter_is_overdue,
        work.OVERDUE: work.escalate,
    },
    on_start=read_the_law,
    policy_digest=lambda: policy.current().digest,
    lift_allocators=lift_serials,
    problems={
        FormReturned: lambda returned: Problem("form-returned", 422, returned.faults),
        **dict.fromkeys(NOT_THERE, lambda _: Problem("not-found", 404)),
        states.ActClosed: lambda closed: Problem(f"application-{closed.status}".replace("_", "-"), 409),
        signing.AlreadySigned: lambda _: Problem("already-signed", 409),
        use_cases.SecondOfficer: lambda _: Problem("second-officer", 409),
        use_cases.RefusedByLaw: lambda _: Problem("refused-by-law", 409),
        legacy.NotAdapted: lambda _: Problem("legacy-not-adapted", 409),
        reports.NotForeignInvested: lambda _: Problem("not-foreign-invested", 409),
        reports.ReportFiled: lambda _: Problem("report-filed", 409),
        false_registration.CaseOpen: lambda _: Problem("false-registration-open", 409),
        false_registration.NoticeOver: lambda _: Problem("notice-over", 409),
        hand_over.AlreadyHandedOver: lambda _: Problem("already-handed-over", 409),
        hand_over.Settled: lambda _: Problem("matter-settled", 409),
        standing.Withdrawn: lambda _: Problem("registration-withdrawn", 409),
        standing.Deregistered: lambda _: Problem("enterprise-deregistered", 409),
        standing.DeregistrationFiled: lambda _: Problem("deregistration-filed", 409),
    },
)
