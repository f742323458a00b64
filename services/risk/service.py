"""The only wiring of risk."""

import asyncpg

from libs.common.clock import Clock
from libs.common.database import Database
from libs.common.envelope import Incoming
from libs.common.service import Service
from libs.common.transaction import retried
from services.risk import reactions, scorecards, use_cases
from services.risk.api import api
from services.risk.published_events import ClassChanged
from services.risk.settings import Settings


async def use_scorecard(database: Database, _clock: Clock) -> None:
    """Refuse an unfit scorecard; where it differs from the one in force, every enterprise is scored again."""
    scorecard = scorecards.current()
    await retried(database, lambda session: use_cases.activate_scorecard(session, scorecard), name="start")


async def lift_announced(connection: asyncpg.Connection, adopted: list[Incoming]) -> list[str]:
    """After a restore: what our topic announced last counts as announced."""
    in_order = sorted(adopted, key=lambda event: (event.subject, event.sequence))
    said = {event.subject: use_cases.announcement(event.data) for event in in_order if event.type == ClassChanged.type}
    if not said:
        return []
    differ = await use_cases.adopt_announcements(connection, said)
    return [f"{len(said)} announced classes taken over; {differ} will be announced anew, for they differ."]


service = Service(
    name="risk",
    settings=Settings,
    routers=[api],
    hears=["registration", "licensing", "supervision", "credit"],
    apply=reactions.apply,
    whole_answers=True,
    when_due={use_cases.STEP: reactions.when_scores_step},
    on_start=use_scorecard,
    policy_digest=lambda: scorecards.current().digest,
    lift_allocators=lift_announced,
)
