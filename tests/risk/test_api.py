"""What regulators are shown of risk, over HTTP and the real parts."""

from __future__ import annotations

from tests.spine import Spine, eventually, form, get, risk_of, submit

LIST = "/v1/risk/enterprises"
PLANNING = {"purpose": "supervision_planning"}


async def test_the_list_shows_each_enterprise_once_page_by_page_and_by_class(spine: Spine) -> None:
    spine.up("registration", "risk")
    everyone = sorted([(await submit(spine, form())).json()["uscc"] for _ in range(5)])
    for uscc in everyone:
        await eventually(lambda uscc=uscc: risk_of(spine, uscc))

    seen: list[str] = []
    cursor: str | None = None
    while True:
        path = f"{LIST}?limit=2" + (f"&cursor={cursor}" if cursor else "")
        answer = (await get(spine, path, service="risk", person="regulator-1", **PLANNING)).json()
        seen += [one["uscc"] for one in answer["items"]]
        cursor = answer["next"]
        if cursor is None:
            break
    assert seen == everyone

    one = await risk_of(spine, everyone[0])
    assert one is not None
    of_class = await get(
        spine, f"{LIST}?risk_class={one['risk_class']}", service="risk", person="regulator-1", **PLANNING
    )
    assert {shown["risk_class"] for shown in of_class.json()["items"]} == {one["risk_class"]}
    of_none = await get(spine, f"{LIST}?risk_class=D", service="risk", person="regulator-1", **PLANNING)
    assert of_none.json()["items"] == []


async def test_a_list_is_not_shown_without_a_purpose_nor_to_an_applicant(spine: Spine) -> None:
    assert (await get(spine, LIST, service="risk", person="regulator-1")).status_code == 400
    assert (await get(spine, LIST, service="risk", person="applicant-1", **PLANNING)).status_code == 403
    broken = await get(spine, f"{LIST}?cursor=zzz", service="risk", person="regulator-1", **PLANNING)
    assert broken.status_code == 422
    assert broken.json()["errors"][0]["field"] == "cursor"
