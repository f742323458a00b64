"""The only wiring of the lobby."""

from libs.common.clock import Clock
from libs.common.database import Database
from libs.common.service import Service
from services.lobby import policy, reactions, rendering
from services.lobby.pages import ROUTERS
from services.lobby.security import Headers
from services.lobby.settings import Settings


async def look_for_what_pages_need(_database: Database, _clock: Clock) -> None:
    """Refuse to serve without the built files, or with names that contradict themselves."""
    policy.current()
    rendering.assets()


service = Service(
    name="lobby",
    settings=Settings,
    routers=ROUTERS,
    hears=("registration", "licensing", "supervision", "credit", "risk"),
    apply=reactions.apply,
    on_start=look_for_what_pages_need,
    middleware=[Headers],
)
