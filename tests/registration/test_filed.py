"""What a form files beside what is registered: contributions, who controls and owns in the end, who receives papers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from services.registration import tables
from services.registration.domain import FormReturned
from services.registration.use_cases import forms
from tests.registration.registry import Registry
from tests.spine import Spine, form, get, submit

GERMAN = {"name": "Grünfeld Gastronomie GmbH", "kind": "legal", "country": "DE", "share": "60"}
CHINESE = {"name": "上海禾苗商贸有限公司", "kind": "legal", "country": "CN", "share": "40"}
FILED: Mapping[str, Any] = {
    "investors": [
        {**GERMAN, "contribution": {"subscribed": "3000000.00", "forms": ["cash", "intellectual_property"]}},
        {**CHINESE, "contribution": {"subscribed": "2000000.00", "forms": ["land_use_right"]}},
    ],
    "actual_controller": {"name": "Karl Beispiel", "kind": "natural", "country": "DE", "control": "shares"},
    "beneficial_owners": [{"name": "Karl Beispiel", "nationality": "DE"}, {"name": "示例乙", "nationality": "CN"}],
    "service_agent": {"name": "示例律师事务所", "kind": "partnership", "address": "南京西路 1 号"},
    "negative_list_commitment": True,
}


async def test_names_go_to_the_parties_and_the_form_comes_back_as_it_was(spine: Spine) -> None:
    spine.up("registration")
    sent = form(**FILED)
    judged = (await submit(spine, sent)).json()
    assert judged["status"] == "registered"
    path = f"/v1/applications/{judged['id']}"
    assert (await get(spine, path)).json()["lacking"] == []
    shown = (await get(spine, f"{path}/form")).json()["form"]
    for name in ("actual_controller", "beneficial_owners", "service_agent", "negative_list_commitment"):
        assert shown[name] == FILED[name]
    assert [one["contribution"] for one in shown["investors"]] == [one["contribution"] for one in FILED["investors"]]
    to_staff = (await get(spine, f"{path}/form", person="registrar-1")).json()["form"]
    assert to_staff["actual_controller"]["name"] is None
    async with spine.database("registration") as connection:
        kept = await connection.fetchval("SELECT form::text FROM application WHERE id = $1::uuid", judged["id"])
        roles = await connection.fetch(
            "SELECT role FROM party WHERE application_id = $1::uuid ORDER BY role", judged["id"]
        )
    assert "Beispiel" not in kept
    assert "示例律师事务所" not in kept
    assert [row["role"] for row in roles] == [
        "actual_controller", "beneficial_owner", "beneficial_owner", "investor", "investor", "legal_representative",
        "service_agent",
    ]  # fmt: skip


async def test_what_is_left_out_is_named(spine: Spine) -> None:
    judged = (await submit(spine)).json()
    lacking = (await get(spine, f"/v1/applications/{judged['id']}")).json()["lacking"]
    assert lacking == [
        "contributions", "actual_controller", "beneficial_owners", "service_agent_in_china", "negative_list_commitment",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "field", "code"),
    [
        ({"investors": [FILED["investors"][0], CHINESE]}, "investors.1.contribution", "contribution_missing"),
        ({"registered_capital": "5000000.01"}, "investors", "contributions_not_capital"),
        (
            {"actual_controller": {**FILED["actual_controller"], "country": "XX"}},
            "actual_controller.country",
            "country_unknown",
        ),
        (
            {"beneficial_owners": [{"name": "示例", "nationality": "XX"}]},
            "beneficial_owners.0.nationality",
            "country_unknown",
        ),
    ],
)
async def test_what_cannot_be_filed_is_said_with_the_field(
    registry: Registry, fields: Mapping[str, Any], field: str, code: str
) -> None:
    with pytest.raises(FormReturned) as returned:
        await registry.submit(**{**FILED, **fields})
    assert [(fault.field, fault.code) for fault in returned.value.faults] == [(field, code)]


async def test_what_was_filed_is_recalled_as_it_was_kept(registry: Registry) -> None:
    judged = await registry.submit(**FILED)

    async def again(session: Any) -> tuple[Any, Any]:
        row = await session.get(tables.Application, judged.id)
        return row.form, forms.kept(forms.recalled(row))

    kept, recalled = await registry.act(again)
    assert recalled["filed"] == kept["filed"]
