"""Every investor and the legal representative sign the form: under their account, on paper, or by who files."""

from __future__ import annotations

import asyncio
import hashlib
import json
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.registration import domain, tables, use_cases
from services.registration.domain import signing
from services.registration.domain.document import Document
from services.registration.domain.states import ActClosed
from tests.http.wire import as_json, send
from tests.registration.registry import WEI, Registry
from tests.spine import Spine, form, get, post

BODIES = [
    {"name": "Grünfeld Gastronomie GmbH", "kind": "legal", "country": "DE", "share": "60"},
    {"name": "上海禾苗商贸有限公司", "kind": "legal", "country": "CN", "share": "40"},
]
PDF = b"%PDF-1.7 signed"


def signed_by(*accounts: str | None, representative: str | None = None) -> dict[str, Any]:
    """The investors, each with the account that signs."""
    investors = [body | ({"signer": one} if one else {}) for body, one in zip(BODIES, accounts, strict=True)]
    person = {"name": "Anna Weber", "nationality": "DE"}
    return {
        "investors": investors,
        "legal_representative": person | ({"signer": representative} if representative else {}),
    }


async def digest_of(registry: Registry, id: UUID) -> str:
    row = await registry.application(id)
    return signing.digest(signing.content(json.loads(row["form"]), json.loads(row["decision"])["facts"]))


async def sign(
    registry: Registry, id: UUID, field: str, account: str, digest: str | None = None, document: UUID | None = None
) -> tables.Application:
    stated = digest or await digest_of(registry, id)
    row, _ = await registry.act(
        lambda session: use_cases.sign_application(
            session, id, field, stated, account, registry.law, registry.clock, document_id=document
        )
    )
    return row


async def supply(registry: Registry, id: UUID, kind: Any = "signed_form", investor: int | None = None) -> UUID:
    document = Document(kind, "application/pdf", PDF, hashlib.sha256(PDF).hexdigest(), investor)
    kept = await registry.act(
        lambda session: use_cases.supply_document(session, id, document, registry.owner, registry.clock, id=uuid4())
    )
    return kept.id


async def ways(registry: Registry, id: UUID, round: int = 1) -> dict[str, str | None]:
    async with registry.connection() as connection:
        rows = await connection.fetch("SELECT * FROM signature WHERE (application_id, round) = ($1, $2)", id, round)
    return {row["field"]: row["way"] for row in rows}


def strict(law: domain.Policy) -> domain.Policy:
    rules = {role: replace(rule, declaration_suffices=False) for role, rule in law.signing_rules.items()}
    return replace(law, signing_rules=rules)


def codes(returned: pytest.ExceptionInfo[domain.FormReturned]) -> list[tuple[str, str]]:
    return [(fault.field, fault.code) for fault in returned.value.faults]


async def test_where_nobody_is_named_who_files_declares_to_hold_the_signed_form(registry: Registry) -> None:
    judged = await registry.submit()
    assert judged.status == "registered"
    assert set((await ways(registry, judged.id)).values()) == {"declared"}


async def test_a_form_is_judged_when_everybody_who_is_named_has_signed_it(registry: Registry) -> None:
    judged = await registry.submit(**signed_by("applicant-2", "applicant-1", representative="applicant-3"))
    assert (judged.status, judged.uscc) == ("awaiting_signatures", None)
    assert await ways(registry, judged.id) == {
        "investors.0": None, "investors.1": "account", "legal_representative": None,
    }  # fmt: skip
    assert (await sign(registry, judged.id, "investors.0", "applicant-2")).status == "awaiting_signatures"
    row = await sign(registry.on(date(2026, 1, 7)), judged.id, "legal_representative", "applicant-3")
    assert (row.status, row.version, row.sign_by) == ("registered", 3, None)
    assert json.loads((await registry.application(judged.id))["decision"])["judged_for"] == "2026-01-07"
    assert [act for act, _ in await registry.told(judged.id)] == [
        "signatures_requested", "application_submitted", "application_decided",
    ]  # fmt: skip
    assert [act for act, _ in await registry.told(row.uscc or "")] == ["enterprise_registered"]


async def test_what_the_law_refuses_waits_for_nobody(registry: Registry) -> None:
    judged = await registry.submit(**signed_by("applicant-2", None), activities=["0422"])
    assert judged.status == "refused"


async def test_what_the_law_leaves_to_a_person_goes_to_an_officer_once_it_is_signed(registry: Registry) -> None:
    judged = await registry.submit(**signed_by("applicant-2", None), activities=["6311"])
    assert await registry.find("SELECT 1 FROM work_item WHERE subject = $1", str(judged.id)) is None
    assert (await sign(registry.on(date(2026, 1, 12)), judged.id, "investors.0", "applicant-2")).status == "in_review"
    item = await registry.item(judged.id)
    assert item["due_on"] == date(2026, 1, 15), "three working days from the last signature"
    await registry.claim(judged.id, WEI)
    assert (await registry.decide(judged.id, "register", WEI, version=2)).status == "registered"


async def test_a_name_is_kept_for_the_form_while_it_waits(registry: Registry) -> None:
    name = {"division": "上海", "trade_name": "签名待办", "industry": "餐饮", "form": "有限公司"}
    judged = await registry.submit(**signed_by("applicant-2", None), enterprise_name=name)
    with pytest.raises(domain.FormReturned) as taken:
        await registry.as_("applicant-4").submit(enterprise_name=name)
    assert codes(taken) == [("enterprise_name.trade_name", "name_taken")]
    await registry.withdraw(judged.id)
    assert (await registry.as_("applicant-4").submit(enterprise_name=name)).status == "registered"


async def test_nobody_signs_for_another_nor_twice_nor_another_form(registry: Registry) -> None:
    judged = await registry.submit(**signed_by("applicant-2", "applicant-3"))
    with pytest.raises(use_cases.NoSuchApplication):
        await sign(registry, judged.id, "investors.0", "applicant-4")
    for field, account in (
        ("investors.1", "applicant-2"),
        ("investors.0", "applicant-1"),
        ("investors.7", "applicant-2"),
    ):
        with pytest.raises(domain.FormReturned) as returned:
            await sign(registry, judged.id, field, account)
        assert codes(returned) == [("signer", "signer_unknown")]
    with pytest.raises(domain.FormReturned) as returned:
        await sign(registry, judged.id, "investors.0", "applicant-2", digest="0" * 64)
    assert codes(returned) == [("digest", "digest_of_another_form")]
    await sign(registry, judged.id, "investors.0", "applicant-2")
    with pytest.raises(signing.AlreadySigned):
        await sign(registry, judged.id, "investors.0", "applicant-2")


async def test_a_corrected_form_is_signed_anew(registry: Registry) -> None:
    stated = signed_by("applicant-2", None)
    judged = await registry.submit(**stated, activities=["6311"])
    before = await digest_of(registry, judged.id)
    await sign(registry, judged.id, "investors.0", "applicant-2")
    await registry.claim(judged.id, WEI)
    await registry.correct(judged.id, WEI, 2, ("registered_capital", "请核对注册资本。"))
    again = await registry.resubmit(judged.id, 3, **stated, activities=["6311"], registered_capital="6000000.00")
    assert again.status == "awaiting_signatures"
    assert (await ways(registry, judged.id, 2))["investors.0"] is None
    with pytest.raises(domain.FormReturned) as returned:
        await sign(registry, judged.id, "investors.0", "applicant-2", digest=before)
    assert codes(returned) == [("digest", "digest_of_another_form")]
    assert (await sign(registry, judged.id, "investors.0", "applicant-2")).status == "in_review"
    assert (await ways(registry, judged.id, 1))["investors.0"] == "account", "what was signed then is kept"


async def test_a_signed_paper_is_looked_at_by_an_officer(registry: Registry) -> None:
    judged = await registry.submit(**signed_by("applicant-2", None))
    for kind, investor in (("other", 0), ("signed_form", 1), ("signed_form", None)):
        wrong = await supply(registry, judged.id, kind, investor)
        with pytest.raises(domain.FormReturned) as returned:
            await sign(registry, judged.id, "investors.0", "applicant-1", document=wrong)
        assert codes(returned) == [("document_id", "document_not_the_signed_form")]
    paper = await supply(registry, judged.id, investor=0)
    row = await sign(registry, judged.id, "investors.0", "applicant-1", document=paper)
    assert (row.status, (await ways(registry, judged.id))["investors.0"]) == ("in_review", "document")
    await registry.claim(judged.id, WEI)
    assert (await registry.decide(judged.id, "register", WEI, version=2)).status == "registered"


async def test_where_a_declaration_will_not_do_everybody_is_waited_for(registry: Registry) -> None:
    district = registry.under(strict(registry.law))
    judged = await district.submit()
    assert (judged.status, set((await ways(district, judged.id)).values())) == ("awaiting_signatures", {None})
    for field, investor in (("investors.0", 0), ("investors.1", 1), ("legal_representative", None)):
        row = await sign(
            district, judged.id, field, "applicant-1", document=await supply(district, judged.id, investor=investor)
        )
    assert row.status == "in_review"


async def test_what_is_not_signed_in_time_lapses_and_cannot_be_signed_any_more(registry: Registry) -> None:
    judged = await registry.submit(**signed_by("applicant-2", None))
    assert (await registry.application(judged.id))["sign_by"] == date(2026, 1, 19), "ten working days"
    await registry.time_passes(until=date(2026, 1, 19))
    assert (await registry.application(judged.id))["status"] == "awaiting_signatures"
    await registry.time_passes(until=date(2026, 1, 20))
    assert (await registry.application(judged.id))["status"] == "lapsed"
    with pytest.raises(ActClosed):
        await sign(registry, judged.id, "investors.0", "applicant-2")


async def test_a_form_that_waits_cannot_be_sent_again_or_decided(registry: Registry) -> None:
    judged = await registry.submit(**signed_by("applicant-2", None))
    with pytest.raises(ActClosed):
        await registry.resubmit(judged.id, 1)
    with pytest.raises(ActClosed):
        await registry.decide(judged.id, "register", WEI)
    assert (await registry.withdraw(judged.id)).status == "withdrawn"
    await registry.time_passes(until=date(2026, 1, 20))
    assert (await registry.application(judged.id))["status"] == "withdrawn"


async def test_of_two_last_signatures_at_once_one_registers(registry: Registry) -> None:
    judged = await registry.submit(**signed_by("applicant-2", "applicant-3"))
    rows = await asyncio.gather(
        sign(registry, judged.id, "investors.0", "applicant-2"),
        sign(registry, judged.id, "investors.1", "applicant-3"),
    )
    assert sorted(row.status for row in rows) == ["awaiting_signatures", "registered"]


async def test_who_is_named_reads_the_form_and_signs_what_was_read(spine: Spine) -> None:
    spine.up("registration")
    filed = await post(spine, "/v1/applications", form(**signed_by("applicant-2", None)))
    assert (filed.status_code, filed.json()["status"]) == (201, "awaiting_signatures")
    id = filed.json()["id"]
    waited = (await get(spine, "/v1/signatures", person="applicant-2")).json()["items"]
    assert [(one["application_id"], one["signer"]) for one in waited] == [(id, "investors.0")]
    read = (await get(spine, f"/v1/applications/{id}/form", person="applicant-2")).json()
    assert read["form"]["investors"][0]["name"] == BODIES[0]["name"]
    assert [one.get("signer") for one in read["form"]["investors"]] == ["applicant-2", None]
    text = json.dumps(read["signed"], ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    assert hashlib.sha256(text.encode()).hexdigest() == read["digest"], "anyone can work it out"
    path = f"/v1/applications/{id}/signatures"
    body = {"signer": "investors.0", "digest": read["digest"]}
    for stranger in ("applicant-3", "agent-1"):
        assert (await get(spine, f"/v1/applications/{id}/form", person=stranger)).status_code == 404
        assert (await post(spine, path, body, person=stranger)).status_code == 404
    assert (await get(spine, f"/v1/applications/{id}", person="applicant-2")).status_code == 404
    given = await post(spine, path, body, person="applicant-2")
    assert (given.status_code, given.json()["status"]) == (201, "registered")
    assert (await get(spine, "/v1/signatures", person="applicant-2")).json()["items"] == []
    seen = (await get(spine, f"/v1/applications/{id}", person="registrar-1")).json()["signatures"]
    assert {one["signer"]: one["way"] for one in seen} == {
        "investors.0": "account", "investors.1": "declared", "legal_representative": "declared",
    }  # fmt: skip
    late = await post(spine, path, body, person="applicant-2")
    assert late.json()["type"].endswith(":application-registered")


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_what_cannot_be_signed_is_said_in_both_languages(spine: Spine, language: str) -> None:
    url = spine.up("registration").service("registration").url
    filed = (await post(spine, "/v1/applications", form(**signed_by("applicant-2", None)))).json()
    path, body = f"{url}/v1/applications/{filed['id']}/signatures", {"signer": "investors.0", "digest": "0" * 64}
    answer = await send(path, as_json(body), person="applicant-2", language=language)
    assert answer.status_code == 422
    (fault,) = answer.json()["errors"]
    assert (fault["field"], fault["code"]) == ("digest", "digest_of_another_form")
    assert ("摘要" if language == "zh" else "digest") in fault["detail"]
