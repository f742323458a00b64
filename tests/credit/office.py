"""The credit office under test: what other services tell it, what people ask of it, and what it says."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from uuid import UUID, uuid4

import httpx

from deploy import city
from services.registration.domain.uscc import uscc_for
from tests.faults.topics import event, everything_is_taken, put
from tests.spine import Spine, eventually, get, post

_serials = count(7_000)


@dataclass(slots=True)
class Office:
    """Credit as a process; the services that it hears are played by the events that they would say."""

    spine: Spine
    told: Counter[tuple[str, str]] = field(default_factory=Counter)

    async def hear(self, type: str, uscc: str, **data: Any) -> UUID:
        """One event of another service, taken by credit when this returns. Returns the event's id."""
        service, id = type.partition(".")[0], uuid4()
        self.told[service, uscc] += 1
        record = event(uscc, self.told[service, uscc], data, type=f"{type}.v1", source=f"/jingan/{service}", id=id)
        await put(self.spine, record, topic=f"{service}.events")
        await eventually(lambda: everything_is_taken(self.spine, "credit", f"{service}.events"))
        return id

    async def registered(self, owner: str = "applicant-1") -> str:
        """An enterprise of this account."""
        uscc = uscc_for(next(_serials))
        await self.hear("registration.enterprise_registered", uscc, registered_on="2026-01-05", filed_by=owner)
        return uscc

    async def commitment_unkept(self, uscc: str, *, permit_id: UUID | None = None, found_on: str = "2026-01-05") -> str:
        """A commitment of the enterprise is found unkept; the id of the record that this becomes."""
        commitment = uuid4()
        await self.hear(
            "licensing.commitment_unkept", uscc, commitment_id=str(commitment), permit_id=str(permit_id or uuid4()),
            item_id="food-licence", inspection_id=str(uuid4()), found_on=found_on,
        )  # fmt: skip
        records = (await self.credit(uscc))["records"]
        return next(one["id"] for one in records if one["origin_id"] == str(commitment))

    async def from_city(self, *given: city.Data) -> None:
        await city.send(self.spine.stack.bootstrap_servers, self.spine.namespace, given)
        await eventually(lambda: everything_is_taken(self.spine, "credit", city.RECORDS))

    async def get(self, path: str, person: str | None = "credit-1") -> httpx.Response:
        return await get(self.spine, path, service="credit", person=person)

    async def post(
        self, path: str, person: str = "credit-1", *, if_match: int | None = None, **body: Any
    ) -> httpx.Response:
        return await post(self.spine, path, body, service="credit", person=person, if_match=if_match)

    async def credit(self, uscc: str, person: str = "credit-1") -> dict[str, Any]:
        answer = await self.get(f"/v1/enterprises/{uscc}/credit", person)
        return dict(answer.raise_for_status().json())

    async def list_serious(self, uscc: str, basis: str) -> str:
        """The enterprise goes on the serious list; the listing's id."""
        answer = await self.post(
            f"/v1/enterprises/{uscc}/listings", list="serious_illegal_dishonest", ground="SE-GEN", basis=basis
        )
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    async def item(self, queue: str, subject: str) -> dict[str, Any]:
        """The work item that waits for this subject."""
        answer = await self.get(f"/v1/work-items?queue={queue}&state=open&limit=200")
        return next(one for one in answer.raise_for_status().json()["items"] if one["subject"] == subject)

    async def claim(self, queue: str, subject: str, person: str = "credit-1") -> None:
        item = await self.item(queue, subject)
        answer = await post(
            self.spine, f"/v1/work-items/{item['id']}/claim", None, service="credit", person=person,
            if_match=item["version"],
        )  # fmt: skip
        assert answer.is_success, answer.text

    async def said(self, uscc: str, *types: str) -> list[dict[str, Any]]:
        """What credit has said about a subject, of these types where any are named; each with its `type`."""
        async with self.spine.database("credit") as connection:
            rows = await connection.fetch("SELECT type, data FROM outbox WHERE subject = $1 ORDER BY sequence", uscc)
        return [
            {"type": row["type"], **json.loads(row["data"])}
            for row in rows
            if not types or row["type"] in {f"credit.{name}.v1" for name in types}
        ]

    async def row(self, query: str, *arguments: object) -> Any:
        async with self.spine.database("credit") as connection:
            return await connection.fetchrow(query, *arguments)


def refusal(answer: httpx.Response) -> str:
    """The kind of a problem."""
    return str(answer.json()["type"].rpartition(":")[2])
