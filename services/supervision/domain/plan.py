"""The plan of a task: what is inspected, on which basis, and how large a part of each class is drawn."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from services.supervision.domain.faults import Fault, FormReturned
from services.supervision.domain.policy import CLASSES, CodeSet, Kind, Policy, RiskClass

HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class Plan:
    """A task as it is filed. `activities` (prefixes of GB/T 4754 classes) directs it; empty, it is undirected."""

    code_set: CodeSet
    items: tuple[str, ...]
    legal_basis: str
    departments: tuple[str, ...]
    kind: Kind
    ratios: Mapping[RiskClass, Decimal]
    scheme: str | None
    activities: tuple[str, ...]
    on: date


def planned(
    code_set: CodeSet,
    items: Sequence[str],
    legal_basis: str,
    ratios: Mapping[RiskClass, Decimal] | None,
    scheme: str | None,
    activities: Sequence[str],
    on: date,
    *,
    today: date,
    policy: Policy,
) -> Plan:
    """The plan, checked against the law of the day. Raises FormReturned with every fault.

    One general item makes the task general: its ratios stay below the ceilings. A task of key items has none.
    Source: 国发〔2019〕5号 (general and key items); ceilings are the district's own setting.
    """
    faults = [Fault(f"items.{n}", "item_unknown") for n, code in enumerate(items) if code not in policy.items]
    faults += [Fault(f"items.{n}", "item_repeated") for n, code in enumerate(items) if code in items[:n]]
    if legal_basis not in policy.legal_bases:
        faults.append(Fault("legal_basis", "legal_basis_unknown", {"known": ", ".join(policy.legal_bases)}))
    if on < today:
        faults.append(Fault("on", "date_past", {"today": today.isoformat()}))
    known = [policy.items[code] for code in items if code in policy.items]
    kind: Kind = "key" if known and all(item.kind == "key" for item in known) else "general"
    taken, more = _ratios(ratios, scheme, kind, policy)
    if faults or more:
        raise FormReturned([*faults, *more])
    return Plan(
        code_set,
        tuple(items),
        legal_basis,
        departments=tuple(sorted({item.department for item in known})),
        kind=kind,
        ratios=taken,
        scheme=scheme,
        activities=tuple(activities),
        on=on,
    )


def _ratios(
    given: Mapping[RiskClass, Decimal] | None, scheme: str | None, kind: Kind, policy: Policy
) -> tuple[Mapping[RiskClass, Decimal], list[Fault]]:
    """The ratios given, or those of the scheme by name; exactly one of the two is wanted."""
    if (given is None) == (scheme is None):
        return {}, [Fault("ratios", "ratios_or_scheme")]
    if given is not None:
        ratios, field = given, "ratios"
    elif scheme is not None and scheme in policy.schemes:
        ratios, field = policy.schemes[scheme], "scheme"
    else:
        return {}, [Fault("scheme", "scheme_unknown", {"known": "; ".join(policy.schemes)})]
    faults = [Fault(f"{field}.{one}", "ratio_missing") for one in CLASSES if one not in ratios]
    faults += [Fault(f"{field}.{one}", "ratio_range") for one, value in ratios.items() if not 0 <= value <= HUNDRED]
    if not any(ratios.values()):
        faults.append(Fault(field, "ratios_all_zero"))
    if kind == "general":
        faults += [
            Fault(f"{field}.{one}", "ratio_above_ceiling", {"ceiling": f"{policy.ceilings[one]:f}"})
            for one, value in ratios.items()
            if value > policy.ceilings[one]
        ]
    return ratios, faults
