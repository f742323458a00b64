"""The only wiring of credit."""

import json
from datetime import date

import asyncpg

from libs.common import due, work
from libs.common.clock import Clock
from libs.common.database import Database
from libs.common.envelope import Incoming
from libs.common.problems import Fault, Problem
from libs.common.service import Service, TakeRecords
from libs.common.web.work import work_routes
from services.credit import policy, reactions, repository
from services.credit.api import api
from services.credit.published_events import RecordAccepted, RecordRejected, RestrictionChanged
from services.credit.settings import Settings
from services.credit.use_cases import intake, lists, records, repairs, standing


async def read_the_law(_database: Database, _clock: Clock) -> None:
    """Refuse to serve when the policy files contradict themselves."""
    policy.current()


async def lift_announced(connection: asyncpg.Connection, adopted: list[Incoming]) -> list[str]:
    """After a restore: the restrictions that our topic announced last count as announced; each is worked out again."""
    in_order = sorted(adopted, key=lambda event: (event.subject, event.sequence))
    said = {event.subject: json.loads(event.data) for event in in_order if event.type == RestrictionChanged.type}
    for uscc, data in said.items():
        await connection.execute(repository.LIFT_RESTRICTIONS, uscc, data["restrictions"], data["grounds"])
    dates = {uscc: date.fromisoformat(data["changed_on"]) for uscc, data in said.items()}
    await due.add_many(connection, standing.RECHECK, dates)
    return [f"{len(said)} announced restrictions taken over; each is worked out again."] if said else []


def _too_early(refused: repairs.TooEarly) -> Problem:
    facts = {"earliest": refused.earliest.isoformat(), "source": refused.term.source}
    return Problem("repair-too-early", 409, params=facts)


service = Service(
    name="credit",
    settings=Settings,
    routers=[api, work_routes({lists.LISTING: ("credit_officer",), records.REPAIR: ("credit_officer",)})],
    hears=["registration", "supervision", "licensing"],
    apply=reactions.table.apply,
    takes={intake.RECORDS: TakeRecords(reactions.take_city_records, reactions.reject_city_record)},
    outward={RecordAccepted.type: intake.OUTCOMES, RecordRejected.type: intake.OUTCOMES},
    when_due={
        lists.LISTING_ENDS: reactions.when_a_listing_ends,
        records.PUBLICATION_ENDS: reactions.when_a_publication_ends,
        standing.RECHECK: reactions.when_restrictions_are_rechecked,
        work.OVERDUE: work.escalate,
    },
    on_start=read_the_law,
    policy_digest=lambda: policy.current().digest,
    lift_allocators=lift_announced,
    problems={
        lists.NoSuchEnterprise: lambda _: Problem("not-found", 404),
        lists.NoSuchListing: lambda _: Problem("not-found", 404),
        lists.NoSuchProposal: lambda _: Problem("not-found", 404),
        lists.NotListable: lambda refused: Problem("not-listable", 422, [Fault(refused.field, refused.code)]),
        lists.AlreadyListed: lambda _: Problem("already-listed", 409),
        lists.AlreadyEnded: lambda _: Problem("already-ended", 409),
        lists.NoWayOfRemoval: lambda _: Problem("no-way-of-removal", 409),
        records.NoSuchRecord: lambda _: Problem("not-found", 404),
        records.AlreadyErased: lambda _: Problem("already-erased", 409),
        repairs.NoSuchTarget: lambda _: Problem("not-found", 404),
        repairs.NoSuchRepair: lambda _: Problem("not-found", 404),
        repairs.NothingToRepair: lambda _: Problem("nothing-to-repair", 409),
        repairs.AlreadyApplied: lambda _: Problem("repair-pending", 409),
        repairs.AlreadyDecided: lambda _: Problem("already-decided", 409),
        repairs.TooEarly: _too_early,
    },
)
