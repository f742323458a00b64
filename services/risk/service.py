"""The only wiring of risk."""

import asyncpg

from libs.common.clock import Clock
from libs.common.database import Database
from libs.common.envelope import Incoming
from libs.common.service import Service
from libs.common.transaction import retried
from services.risk import reactions, scorecards, use_cases
from services.risk.api import routers
from services.risk.api.refusals import PROBLEMS
from services.risk.published_events import ClassChanged, RelatedPartySignalled
from services.risk.settings import Settings


async def use_scorecard(database: Database, clock: Clock) -> None:
    """Refuse an unfit release. Its scorecard is put in force where none ever was; later ones people put in force."""
    scorecard = scorecards.shipped()
    await retried(database, lambda session: use_cases.have_one_in_force(session, scorecard, clock), name="start")


async def lift_announced(connection: asyncpg.Connection, adopted: list[Incoming]) -> list[str]:
    """After a restore: what our topic announced last counts as announced, and what it told relatives as told."""
    in_order = sorted(adopted, key=lambda event: (event.subject, event.sequence))
    announced = [event for event in in_order if event.type == ClassChanged.type]
    told = {event.subject for event in adopted if event.type == RelatedPartySignalled.type}
    lifted = []
    if announced:
        differ = await use_cases.adopt_announcements(connection, announced)
        lifted = [f"{len(announced)} announced classes taken over; {differ} will be announced anew, for they differ."]
    if told:
        differ = await use_cases.adopt_what_relatives_were_told(connection, told)
        lifted.append(
            f"{len(told)} enterprises were told of relatives; {differ} will be judged again, for they differ."
        )
    return lifted


service = Service(
    name="risk",
    settings=Settings,
    routers=[*routers],
    hears=["registration", "licensing", "supervision", "credit", "risk"],
    apply=reactions.apply,
    at_once=5_000,
    when_due={
        use_cases.STEP: reactions.when_scores_step,
        use_cases.RELATIVES: reactions.when_relatives_are_judged,
        use_cases.EXPIRES: reactions.when_an_override_expires,
    },
    due_alone=frozenset({use_cases.STEP, use_cases.RELATIVES}),
    works=[use_cases.score_shadows],
    on_start=use_scorecard,
    policy_digest=lambda: scorecards.shipped().digest,
    lift_allocators=lift_announced,
    problems=PROBLEMS,
)
