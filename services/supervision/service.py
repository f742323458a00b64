"""The only wiring of supervision."""

from collections.abc import Callable, Mapping
from typing import Any

from libs.common.clock import Clock
from libs.common.database import Database
from libs.common.problems import Problem
from libs.common.service import Service
from services.supervision import api, policy, reactions, use_cases
from services.supervision.domain import FormReturned, TooFewInspectors
from services.supervision.settings import Settings


async def read_the_law(_database: Database, _clock: Clock) -> None:
    """Refuse to serve when the policy files contradict themselves."""
    policy.current()


def _too_few(error: TooFewInspectors) -> Problem:
    figures = {"departments": ", ".join(error.departments), "needed": error.needed, "found": error.found}
    return Problem("inspectors-too-few", 409, params=figures)


PROBLEMS: Mapping[type[Exception], Callable[[Any], Problem]] = {
    FormReturned: lambda returned: Problem("form-returned", 422, returned.faults),
    TooFewInspectors: _too_few,
    use_cases.TaskUnknown: lambda _: Problem("not-found", 404),
    use_cases.InspectorUnknown: lambda _: Problem("not-found", 404),
    use_cases.InspectionUnknown: lambda _: Problem("not-found", 404),
    use_cases.CorrectionUnknown: lambda _: Problem("not-found", 404),
    use_cases.InspectorKnown: lambda _: Problem("inspector-known", 409),
    use_cases.InspectorChanged: lambda _: Problem("stale", 412),
    use_cases.TooEarly: lambda early: Problem("draw-too-early", 409, params={"on": early.on.isoformat()}),
    use_cases.NobodyToInspect: lambda _: Problem("nobody-to-inspect", 409),
    use_cases.NotDrawn: lambda _: Problem("not-drawn", 409),
    use_cases.CodeNeeded: lambda _: Problem("inspection-code-needed", 403),
    use_cases.ResultStands: lambda _: Problem("result-stands", 409),
    use_cases.NotReported: lambda _: Problem("not-reported", 409),
    use_cases.SecondInspectorNeeded: lambda _: Problem("second-inspector-needed", 409),
    use_cases.NotCompleted: lambda _: Problem("not-completed", 409),
    use_cases.AlreadyPublished: lambda _: Problem("already-published", 409),
    use_cases.AlreadyMet: lambda _: Problem("already-met", 409),
}

service = Service(
    name="supervision",
    settings=Settings,
    routers=api.routers,
    hears=["registration", "licensing", "credit", "risk"],
    apply=reactions.table.apply,
    when_due={
        use_cases.PUBLISH: reactions.when_publication_is_due,
        use_cases.OVERDUE: reactions.when_a_correction_falls_overdue,
    },
    on_start=read_the_law,
    policy_digest=lambda: policy.current().digest,
    problems=PROBLEMS,
)
