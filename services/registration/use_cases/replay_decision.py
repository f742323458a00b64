"""A decision is judged again from its record alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from services.registration import domain
from services.registration.use_cases.records import recorded


@dataclass(frozen=True, slots=True)
class Replayed:
    """A recorded judgement and what the same facts give for the same day by the law that is loaded now."""

    round: int
    by: str
    judged_for: str
    recorded_digest: str
    recorded_outcome: str
    outcome: str
    agrees: bool
    same_policy: bool


def replay(record: Mapping[str, Any], round: int, by: str, policy: domain.Policy) -> Replayed:
    """Judge recorded facts for the recorded day. Outcome and every finding must agree; where another policy is loaded
    than decided then, `same_policy` says so."""
    facts, on = domain.recalled(record["facts"]), date.fromisoformat(record["judged_for"])
    anew = recorded(domain.judge(facts, policy, on))
    return Replayed(
        round=round,
        by=by,
        judged_for=record["judged_for"],
        recorded_digest=record["policy_digest"],
        recorded_outcome=record["outcome"],
        outcome=anew["outcome"],
        agrees=all(anew[name] == record[name] for name in ("outcome", "findings", "facts")),
        same_policy=record["policy_digest"] == policy.digest,
    )
