"""The form as it is kept: what it states beside its facts, and apart from it the people and bodies it names."""

import dataclasses
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from services.registration import domain, tables


def kept(application: domain.Application) -> dict[str, Any]:
    """What the form states beside its facts; parties by their random ids alone."""
    term = application.term
    return {
        "name": dataclasses.asdict(application.name),
        "registered_capital": f"{application.registered_capital:f}",
        "capital_currency": application.capital_currency,
        "investor_parties": [str(party) for party in application.investor_parties],
        "legal_representative": str(application.legal_representative),
        "term": [term.starts.isoformat(), term.ends.isoformat() if term.ends else None] if term else None,
        "permit_facts": dict(application.permit_facts),
    }


def recalled(row: tables.Application) -> domain.Application:
    """The application that a row was made from."""
    form, facts = row.form, domain.recalled(row.decision["facts"])
    starts, ends = form["term"] or (None, None)
    return domain.Application(
        name=domain.EnterpriseName(**form["name"]),
        enterprise_type=facts.structure.enterprise_type,
        registered_capital=Decimal(form["registered_capital"]),
        capital_currency=form["capital_currency"],
        activities=facts.activities,
        area=facts.place,
        investors=facts.structure.investors,
        investor_parties=tuple(map(UUID, form["investor_parties"])),
        legal_representative=UUID(form["legal_representative"]),
        legal_representative_nationality=facts.structure.legal_representative_nationality,
        term=domain.Term(date.fromisoformat(starts), date.fromisoformat(ends) if ends else None) if starts else None,
        treaty_claim=facts.structure.treaty_claim,
        permit_facts=form.get("permit_facts", {}),
    )


def party_rows(parties: Sequence[domain.Party], application_id: UUID) -> list[tables.Party]:
    return [tables.Party(application_id=application_id, **dataclasses.asdict(party)) for party in parties]
