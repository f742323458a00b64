"""The two records of a draw: the auditor's, from which it can be repeated, and the public one, which shows no class.

The public record is made of the plan, the day, the commitment, the list of objects and the objects drawn. It holds no
ratio, no stratum, no seed and no order but that of identifiers. `record_digest` ties it to the auditor's record; that
one holds the seed, so nobody can try out classes until the digest fits.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Any
from uuid import UUID

from services.supervision.domain.draw import INSPECTORS_PER_VISIT, Draw, Inspector, commitment, draw
from services.supervision.domain.plan import Plan
from services.supervision.domain.policy import RiskClass


@dataclass(frozen=True, slots=True)
class Listed:
    """An inspector as the library had him; `excluded` says why he took no part."""

    account: str
    department: str
    conflicts: tuple[str, ...]
    excluded: str | None


@dataclass(frozen=True, slots=True)
class Inputs:
    """All that a draw depends on. `excluded`: objects that took no part, with the reason."""

    task_id: UUID
    draw_id: UUID
    plan: Plan
    filed_on: date
    drawn_on: date
    policy_digest: str
    seed: bytes
    objects: Mapping[str, RiskClass]
    excluded: Mapping[str, str]
    inspectors: Sequence[Listed]


def listed(
    account: str, department: str, conflicts: Sequence[str], available: bool, departments: Sequence[str]
) -> Listed:
    """An inspector as he stands for a task of these departments."""
    excluded = "unavailable" if not available else "other_department" if department not in departments else None
    return Listed(account, department, tuple(sorted(conflicts)), excluded)


def made(inputs: Inputs) -> tuple[Draw, dict[str, Any]]:
    """Draw, and the auditor's record of it: a function of the inputs alone. Raises TooFewInspectors."""
    plan = inputs.plan
    inspectors = [
        Inspector(one.account, one.department, frozenset(one.conflicts))
        for one in sorted(inputs.inspectors, key=lambda one: one.account)
        if one.excluded is None
    ]
    drawn = draw(
        inputs.objects, plan.ratios, inspectors, plan.departments,
        seed=inputs.seed, task_id=inputs.task_id, on=plan.on,
    )  # fmt: skip
    record = {
        **_plan(inputs),
        "kind": plan.kind,
        "scheme": plan.scheme,
        "policy_digest": inputs.policy_digest,
        "seed": inputs.seed.hex(),
        "library_digest": drawn.library_digest,
        "classes_digest": _digest([[uscc, inputs.objects[uscc]] for uscc in sorted(inputs.objects)]),
        "strata": [
            {
                "risk_class": stratum.risk_class,
                "size": stratum.size,
                "ratio_pct": f"{stratum.ratio.normalize():f}",
                "drawn": list(stratum.drawn),
            }
            for stratum in drawn.strata
        ],
        "excluded": [{"uscc": uscc, "reason": inputs.excluded[uscc]} for uscc in sorted(inputs.excluded)],
        "inspectors": [
            {
                "account": one.account,
                "department": one.department,
                "conflicts": list(one.conflicts),
                "excluded": one.excluded,
            }
            for one in sorted(inputs.inspectors, key=lambda one: one.account)
        ],
        "visits": [{"uscc": visit.uscc, "inspectors": list(visit.inspectors)} for visit in drawn.visits],
    }
    return drawn, record


def public(inputs: Inputs, drawn: Draw, record: Mapping[str, Any]) -> dict[str, Any]:
    """What anyone may read of the draw."""
    return {
        **_plan(inputs),
        "library_size": len(inputs.objects),
        "library_digest": drawn.library_digest,
        "objects": [visit.uscc for visit in drawn.visits],
        "inspectors_per_visit": max(INSPECTORS_PER_VISIT, len(inputs.plan.departments)),
        "record_digest": record_digest(record),
    }


def record_digest(record: Mapping[str, Any]) -> str:
    """SHA-256 of the auditor's record, seed included, as canonical JSON."""
    return _digest(record)


def _plan(inputs: Inputs) -> dict[str, Any]:
    plan = inputs.plan
    return {
        "draw_id": str(inputs.draw_id),
        "task_id": str(inputs.task_id),
        "code_set": plan.code_set,
        "items": list(plan.items),
        "legal_basis": plan.legal_basis,
        "departments": list(plan.departments),
        "activities": list(plan.activities),
        "filed_on": inputs.filed_on.isoformat(),
        "planned_on": plan.on.isoformat(),
        "drawn_on": inputs.drawn_on.isoformat(),
        "commitment": commitment(inputs.seed, inputs.task_id),
    }


def _digest(value: object) -> str:
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return sha256(canonical.encode()).hexdigest()
