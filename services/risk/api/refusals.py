"""What the acts of risk refuse, as problems to the caller."""

from collections.abc import Callable, Mapping
from typing import Any

from libs.common.problems import Fault, Problem
from services.risk import scorecards, use_cases
from services.risk.domain import ScorecardError
from services.risk.schemas.tables import TablesUnfit
from services.risk.use_cases import warnings, watch_lists


def _unfit(error: ScorecardError) -> Problem:
    return Problem("scorecard-unfit", 422, [Fault(one.at, one.code, one.params) for one in error.defects])


PROBLEMS: Mapping[type[Exception], Callable[[Any], Problem]] = {
    ScorecardError: _unfit,
    TablesUnfit: lambda unfit: Problem("scorecard-unfit", 422, unfit.faults[:300]),
    scorecards.NoScorecard: lambda _: Problem("unavailable", 503, retry_after=1),
    use_cases.ScorecardUnknown: lambda _: Problem("not-found", 404),
    use_cases.ScorecardKnown: lambda known: Problem(
        "scorecard-known", 409, params={"digest": known.digest, "state": known.state}
    ),
    use_cases.WrongState: lambda wrong: Problem("scorecard-wrong-state", 409, params={"state": wrong.state}),
    use_cases.ShadowTaken: lambda taken: Problem("shadow-taken", 409, params={"name": taken.name}),
    use_cases.NotScoredYet: lambda _: Problem("shadow-incomplete", 409),
    use_cases.NotValidYet: lambda early: Problem(
        "scorecard-not-valid-yet", 409, params={"on": early.valid_from.isoformat()}
    ),
    use_cases.ProposalWaits: lambda _: Problem("activation-waits", 409),
    use_cases.NothingProposed: lambda _: Problem("nothing-proposed", 409),
    use_cases.NoWayBack: lambda _: Problem("no-way-back", 409),
    use_cases.SamePerson: lambda _: Problem("second-person-needed", 409),
    use_cases.EnterpriseNotScored: lambda _: Problem("not-found", 404),
    use_cases.OverrideUnknown: lambda _: Problem("not-found", 404),
    use_cases.OverrideWaits: lambda _: Problem("override-waits", 409),
    use_cases.OverrideSettled: lambda _: Problem("override-settled", 409),
    use_cases.EndOutOfRange: lambda wrong: Problem(
        "malformed", 422, [Fault("expires_on", "override_end", {"from": wrong.earliest, "to": wrong.latest})]
    ),
    watch_lists.NoSuchWatchList: lambda _: Problem("not-found", 404),
    watch_lists.NothingToWatch: lambda _: Problem("not-found", 404),
    watch_lists.WatchListChanged: lambda _: Problem("stale", 412),
    watch_lists.NameTaken: lambda _: Problem("watch-list-name-taken", 409),
    watch_lists.WatchListFull: lambda _: Problem("watch-list-full", 409, params={"most": watch_lists.WATCHED_AT_MOST}),
    warnings.NoSuchWarning: lambda _: Problem("not-found", 404),
    warnings.WarningChanged: lambda _: Problem("stale", 412),
    warnings.WarningSettled: lambda _: Problem("warning-settled", 409),
}
