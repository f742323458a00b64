"""The form as it is kept: what it states beside its facts, and apart from it the people and bodies it names."""

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from services.registration import domain, tables
from services.registration.domain.false_registration import Concern
from services.registration.domain.filed import Contribution, Filed, lacking


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
        "address": application.address,
        "known_as": {str(party): str(known) for party, known in application.known_as.items()},
        "address_id": str(application.address_id) if application.address_id else None,
        "filed": _kept_filed(application.filed),
        "lacking": list(lacking(application.filed, foreign=bool(application.structure.foreign_investors))),
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
        address=form.get("address"),
        known_as={UUID(party): UUID(known) for party, known in form.get("known_as", {}).items()},
        address_id=UUID(form["address_id"]) if form.get("address_id") else None,
        filed=_recalled_filed(form.get("filed", {})),
    )


def _kept_filed(filed: Filed) -> dict[str, Any]:
    return {
        "contributions": [
            None if one is None else {"subscribed": f"{one.subscribed:f}", "forms": list(one.forms)}
            for one in filed.contributions
        ],
        "actual_controller": str(filed.actual_controller) if filed.actual_controller else None,
        "control": filed.control,
        "beneficial_owners": [str(party) for party in filed.beneficial_owners],
        "service_agent": str(filed.service_agent) if filed.service_agent else None,
        "service_address": filed.service_address,
        "negative_list_commitment": filed.negative_list_commitment,
        "countries": {str(party): country for party, country in filed.countries.items()},
        "kinds": {str(party): kind for party, kind in filed.kinds.items()},
    }


def _recalled_filed(form: Mapping[str, Any]) -> Filed:
    if not form:
        return Filed()
    return Filed(
        contributions=tuple(
            None if one is None else Contribution(Decimal(one["subscribed"]), tuple(one["forms"]))
            for one in form["contributions"]
        ),
        actual_controller=UUID(form["actual_controller"]) if form["actual_controller"] else None,
        control=form["control"],
        beneficial_owners=tuple(map(UUID, form["beneficial_owners"])),
        service_agent=UUID(form["service_agent"]) if form["service_agent"] else None,
        service_address=form["service_address"],
        negative_list_commitment=form["negative_list_commitment"],
        countries={UUID(party): country for party, country in form["countries"].items()},
        kinds={UUID(party): kind for party, kind in form["kinds"].items()},
    )


def party_rows(parties: Sequence[domain.Party], application_id: UUID) -> list[tables.Party]:
    return [tables.Party(application_id=application_id, **dataclasses.asdict(party)) for party in parties]


def kept_concerns(concerns: Sequence[Concern]) -> list[dict[str, Any]]:
    return [{"field": one.field, "until": one.until.isoformat()} for one in concerns]
