"""Parties and addresses are known outside by opaque ids: the same one wherever the same is named, and no name in it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from services.registration.domain.pseudonyms import of_address
from services.registration.forms import ApplicationForm
from services.registration.published_events import EnterpriseRegistered
from services.registration.use_cases.forms import kept
from tests.registration.registry import START
from tests.spine import form

KEY, OTHER_KEY = b"k" * 32, b"o" * 32


def said(key: bytes | None = KEY, **changes: Any) -> EnterpriseRegistered:
    command = ApplicationForm.model_validate(form(**changes)).command(key=key)
    return EnterpriseRegistered.of(command.application, UUID(int=1), START, "account")


def roles(event: EnterpriseRegistered) -> dict[str, set[UUID]]:
    assert isinstance(event.parties, tuple)
    found: dict[str, set[UUID]] = {}
    for one in event.parties:
        found.setdefault(one.role, set()).add(one.party_id)
    return found


def person(name: str, country: str = "DE", share: str = "100") -> dict[str, Any]:
    return {"name": name, "kind": "natural", "country": country, "share": share}


def test_the_same_person_has_one_id_in_every_form_and_role_however_the_name_is_spelt() -> None:
    first = said(investors=[person("Anna Weber")], legal_representative={"name": "anna  weber", "nationality": "DE"})
    second = said(investors=[person("ＡＮＮＡ Weber", share="60"), person("Li Na", "CN", "40")])
    (one,) = roles(first)["legal_representative"]
    assert roles(first) == {"legal_representative": {one}, "investor": {one}, "actual_controller": {one}}
    assert roles(second)["actual_controller"] == {one}
    assert len(roles(second)["investor"]) == 2


def test_another_country_another_kind_or_another_key_is_another_id() -> None:
    ids = {
        *roles(said(investors=[person("Anna Weber")]))["investor"],
        *roles(said(investors=[person("Anna Weber", "AT")]))["investor"],
        *roles(said(investors=[{**person("Anna Weber"), "kind": "legal"}]))["investor"],
        *roles(said(OTHER_KEY, investors=[person("Anna Weber")]))["investor"],
    }
    assert len(ids) == 4


def test_nobody_holds_more_than_half_and_nobody_controls() -> None:
    halves = said(investors=[person("Anna Weber", share="50"), person("Li Na", "CN", "50")])
    assert "actual_controller" not in roles(halves)


def test_an_address_counts_within_its_area_and_is_known_only_where_one_is_given() -> None:
    given = said(address="南京西路 1266号 20楼")
    assert given.address_id == said(address="南京西路1266号20楼").address_id
    assert given.address_id == of_address(form()["area"], "南京西路1266号20楼", KEY)
    assert given.address_id != said(address="南京西路1266号20楼", area="310106013").address_id
    assert said().address_id == said(None, address="南京西路1266号").address_id
    assert said(None).parties == said().address_id  # neither is there


def test_ids_are_kept_with_the_form_and_come_back_from_it() -> None:
    application = ApplicationForm.model_validate(form(address="一号")).command(key=KEY).application
    told = kept(application)
    assert set(told["known_as"]) == {
        str(id) for id in (*application.investor_parties, application.legal_representative)
    }
    assert told["address_id"] == str(application.address_id)
