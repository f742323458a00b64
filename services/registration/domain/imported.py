"""An enterprise of an older register, as a line of a file states it: read, judged fit to be entered, or sent back."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import get_args

from services.registration.domain import uscc
from services.registration.domain.application import EnterpriseName, Fault, activity_faults, investor_faults
from services.registration.domain.decision import Facts
from services.registration.domain.policy import Policy
from services.registration.domain.structure import EnterpriseType, Investor, InvestorKind, Structure

COLUMNS = (
    "uscc", "division", "trade_name", "industry", "form", "enterprise_type", "registered_capital", "capital_currency",
    "activities", "area", "registered_on", "legal_representative_nationality", "investors",
)  # fmt: skip
"""`activities` are class codes joined by `;`, the main one first; `investors` are `kind country share` joined by `;`,
with `fie` or `abroad` behind where it holds: `legal DE 60;legal CN 40 fie`. No names of people."""

_CAPITAL = re.compile(r"(0|[1-9][0-9]{0,14})(\.[0-9]{1,2})?")
_MARKS = {"": (False, False), "fie": (True, False), "abroad": (False, True)}


@dataclass(frozen=True, slots=True)
class Imported:
    """An enterprise to be entered. `flags`: what a person has to look at, though it stands in the old register."""

    uscc: str
    name: EnterpriseName
    facts: Facts
    registered_capital: Decimal
    capital_currency: str
    registered_on: date
    flags: tuple[str, ...]


def read(line: Mapping[str, str], policy: Policy, today: date) -> Imported | tuple[Fault, ...]:
    """The enterprise of one line, or everything for which it is sent back.

    An identifier that fails a check may have been issued all the same, so it is entered and flagged; one that is no
    identifier at all is sent back.
    """
    try:
        investors = tuple(map(_investor, line["investors"].split(";")))
        capital, on = _capital(line["registered_capital"]), date.fromisoformat(line["registered_on"])
    except _Unreadable as unreadable:
        return (unreadable.fault,)
    except ValueError:
        return (Fault("registered_on", "date_unreadable"),)
    name = EnterpriseName(line["division"], line["trade_name"], line["industry"], line["form"])
    kind = line["enterprise_type"]
    if kind not in get_args(EnterpriseType):
        return (Fault("enterprise_type", "enterprise_type_unknown"),)
    structure = Structure(kind, investors, line["legal_representative_nationality"])  # type: ignore[arg-type]
    facts = Facts("national", line["area"], tuple(line["activities"].split(";")), structure)
    problems = uscc.check(line["uscc"], policy.uscc_authorities)
    found = Imported(line["uscc"], name, facts, capital, line["capital_currency"], on, problems)
    faults = tuple(_faults(found, policy, today))
    return faults or found


class _Unreadable(Exception):
    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.code)
        self.fault = fault


def _capital(text: str) -> Decimal:
    if not _CAPITAL.fullmatch(text):
        raise _Unreadable(Fault("registered_capital", "capital_unreadable"))
    return Decimal(text)


def _investor(text: str) -> Investor:
    try:
        kind, country, share, *mark = text.split()
        is_fie, settled_abroad = _MARKS[" ".join(mark)]
        if kind not in get_args(InvestorKind):
            raise KeyError(kind)
        return Investor(kind, country, Decimal(share), is_fie, settled_abroad)  # type: ignore[arg-type]
    except (ValueError, KeyError, InvalidOperation):
        raise _Unreadable(Fault("investors", "investors_unreadable")) from None


def _faults(found: Imported, policy: Policy, today: date) -> Iterator[Fault]:
    if {"length", "alphabet"} & set(found.flags):
        yield Fault("uscc", "uscc_is_none")
    if not found.name.trade_name:
        yield Fault("trade_name", "trade_name_too_short", {"minimum": "2"})
    if found.capital_currency not in policy.currencies:
        yield Fault("capital_currency", "currency_unknown")
    if found.registered_on > today:
        yield Fault("registered_on", "date_in_future")
    if found.facts.place not in policy.areas:
        yield Fault("area", "area_unknown", {"district": "310106"})
    if found.facts.structure.legal_representative_nationality not in policy.countries:
        yield Fault("legal_representative_nationality", "country_unknown")
    yield from activity_faults(found.facts.activities, policy)
    yield from investor_faults(found.facts.structure.investors, policy)
