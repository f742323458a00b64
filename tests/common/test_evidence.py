"""Recovery reports: signed by their service, checked offline, and never trusted when a row is not what was signed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from deploy.local.stack import CHECKOUT
from libs.common import evidence, signature
from libs.common.settings import Settings, load
from tests.spine import Spine, get

SERVICE = "credit"


@pytest_asyncio.fixture(loop_scope="module")
async def look(spine: Spine) -> AsyncIterator[asyncpg.Connection]:
    """The database of a running service, without reports, as one may change it who owns it."""
    if not spine.service(SERVICE).alive:
        spine.up(SERVICE)
    async with spine.database(SERVICE) as connection:
        await connection.execute("ALTER TABLE recovery_report DISABLE TRIGGER ALL; DELETE FROM recovery_report")
        yield connection
        await connection.execute("ALTER TABLE recovery_report ENABLE TRIGGER ALL")


def settings_of(spine: Spine) -> Settings:
    with spine.as_environment():
        return load(Settings, SERVICE)


async def kept(spine: Spine, look: asyncpg.Connection, *, signed: bool = True) -> evidence.Report:
    settings = settings_of(spine)
    said = evidence.report(
        "rebuild", settings, by="operator-1", began_at=datetime.now(UTC), outcome="different", differences=["A: 1, 2"],
        cut=evidence.Cut(positions={"registration.events/0": 41}), compared={"live": evidence.digest(["A", 1])},
    )  # fmt: skip
    await evidence.write(look, said, signature.keys(settings) if signed else signature.Keyring())
    return said


async def shown(spine: Spine, path: str = "", person: str = "auditor-1") -> Any:
    answer = await get(spine, f"/v1/recovery-reports{path}", service=SERVICE, person=person)
    assert answer.status_code == 200, answer.text
    return answer.json()


def checked_offline(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "verify", str(folder / "report.json"), "--keys", str(folder / "keys.json")]
    return subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, timeout=60, check=False)


async def test_a_report_is_shown_verified_and_its_signature_holds_offline(
    spine: Spine, look: asyncpg.Connection, tmp_path: Path
) -> None:
    said = await kept(spine, look)

    [line] = (await shown(spine, person="operator-1"))["items"]
    assert (line["id"], line["verification"], line["different"]) == (str(said.id), "verified", 1)
    whole = await shown(spine, f"/{said.id}")
    assert whole["document"]["differences"] == ["A: 1, 2"]
    (tmp_path / "report.json").write_text(json.dumps(whole))
    (tmp_path / "keys.json").write_text(json.dumps(signature.keys(settings_of(spine)).public()))
    done = checked_offline(tmp_path)
    assert done.returncode == 0, done.stdout
    assert "recovery-report" in done.stdout


TAMPERINGS = {
    "a difference taken out": (
        "UPDATE recovery_report SET document = convert_to(replace(convert_from(document, 'utf8'),"
        " '\"different\":1', '\"different\":0'), 'utf8')",
        "altered",
    ),
    "a signature of somebody else": ("UPDATE recovery_report SET jws = left(jws, -8) || 'AAAAAAAA'", "forged"),
    "no signature": ("UPDATE recovery_report SET jws = NULL", "unsigned"),
    "no document": ("UPDATE recovery_report SET document = 'x'", "altered"),
    "another time": ("UPDATE recovery_report SET at = at - interval '1 day'", "altered"),
    "under another id": ("UPDATE recovery_report SET id = gen_random_uuid()", "altered"),
}


@pytest.mark.parametrize("name", TAMPERINGS)
async def test_a_row_that_is_not_what_was_signed_is_shown_as_not_verified(
    spine: Spine, look: asyncpg.Connection, name: str
) -> None:
    await kept(spine, look)
    statement, word = TAMPERINGS[name]
    await look.execute(statement)

    [line] = (await shown(spine))["items"]

    assert line["verification"] in (word, "malformed" if word == "forged" else word)


async def test_a_service_without_a_key_keeps_its_reports_and_they_say_that_they_are_not_signed(
    spine: Spine, look: asyncpg.Connection
) -> None:
    await kept(spine, look, signed=False)
    assert [line["verification"] for line in (await shown(spine))["items"]] == ["unsigned"]


async def test_pages_follow_each_other_the_newest_first(spine: Spine, look: asyncpg.Connection) -> None:
    said = [await kept(spine, look) for _ in range(3)]
    found, cursor = [], ""
    while True:
        page = await shown(spine, f"?limit=1{cursor}")
        found += [line["id"] for line in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert found == [str(one.id) for one in reversed(said)]


async def test_reports_are_written_once_and_stay(spine: Spine, look: asyncpg.Connection) -> None:
    await kept(spine, look)
    await look.execute("ALTER TABLE recovery_report ENABLE TRIGGER ALL")
    for statement in (
        "UPDATE recovery_report SET kind = 'x'",
        "DELETE FROM recovery_report",
        "TRUNCATE recovery_report",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await look.execute(statement)
