"""The only wiring of risk."""

from libs.common.clock import Clock
from libs.common.database import Database
from libs.common.service import Service
from libs.common.transaction import once
from services.risk import reactions, scorecards, use_cases
from services.risk.api import api
from services.risk.settings import Settings


async def use_scorecard(database: Database, _clock: Clock) -> None:
    """Refuse an unfit scorecard; where it differs from the one in force, every enterprise is scored again."""
    scorecard = scorecards.current()
    await once(database, lambda session: use_cases.activate_scorecard(session, scorecard))


service = Service(
    name="risk",
    settings=Settings,
    routers=[api],
    hears=["registration"],
    apply=reactions.apply,
    whole_answers=True,
    when_due={use_cases.STEP: reactions.when_scores_step},
    on_start=use_scorecard,
)
