"""The only wiring of licensing."""

from libs.common import work
from libs.common.clock import Clock
from libs.common.database import Database
from libs.common.problems import Fault, Problem
from libs.common.service import Service
from services.licensing import policy, reactions, use_cases
from services.licensing.api import routers
from services.licensing.settings import Settings


async def read_the_law(_database: Database, _clock: Clock) -> None:
    """Refuse to serve when the policy files contradict themselves."""
    policy.current()


def mode_is_shut(shut: use_cases.CommitmentModeShut) -> Problem:
    """Every ground with the rule that it rests on."""
    faults = [
        Fault("way", one.bar.bar, {"grounds": ", ".join(one.grounds), "source": one.bar.source}) for one in shut.bars
    ]
    return Problem("commitment-mode-shut", 409, faults)


service = Service(
    name="licensing",
    settings=Settings,
    routers=routers,
    hears=("registration", "supervision", "credit"),
    apply=reactions.table.apply,
    when_due={work.OVERDUE: reactions.when_work_is_overdue},
    on_start=read_the_law,
    policy_digest=lambda: policy.current().digest,
    problems={
        use_cases.NoSuchEnterprise: lambda _: Problem("not-found", 404),
        use_cases.NoSuchApplication: lambda _: Problem("not-found", 404),
        use_cases.NoSuchNotification: lambda _: Problem("not-found", 404),
        use_cases.LeftTheRegister: lambda _: Problem("enterprise-deregistered", 409),
        use_cases.NotRequired: lambda _: Problem("item-not-required", 422),
        use_cases.NoPermitMayBeDemanded: lambda _: Problem("no-permit-may-be-demanded", 422),
        use_cases.QuestionOpen: lambda asked: Problem("question-open", 422, params={"facts": ", ".join(asked.facts)}),
        use_cases.DecidedElsewhere: lambda above: Problem("decided-elsewhere", 422, params={"level": above.level}),
        use_cases.AlreadyThere: lambda _: Problem("already-there", 409),
        use_cases.WayNotOffered: lambda _: Problem("way-not-offered", 422),
        use_cases.CommitmentNotAccepted: lambda _: Problem("commitment-not-accepted", 422),
        use_cases.CommitmentModeShut: mode_is_shut,
        use_cases.AlreadyDecided: lambda _: Problem("already-decided", 409),
        use_cases.NotWaiting: lambda _: Problem("notification-not-waiting", 409),
        use_cases.UnknownDepartment: lambda _: Problem("department-unknown", 422),
    },
)
