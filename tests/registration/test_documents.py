"""Documents: what they are, whose, how sure their bytes are, who supplied them and when."""

from __future__ import annotations

import hashlib
from typing import Any
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio

from tests.http.wire import get, send
from tests.spine import Spine, form, name_of_its_own, submit

PDF = b"%PDF-1.7\n" + b"x" * 100
TELECOM = {
    "activities": ["6410"],
    "investors": [
        {"name": "Sample Holding Ltd", "kind": "legal", "country": "SG", "share": "40"},
        {"name": "上海禾苗商贸有限公司", "kind": "legal", "country": "CN", "share": "60"},
    ],
    "legal_representative": {"name": "示例", "nationality": "CN"},
    "permit_facts": {},
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def url(spine: Spine) -> str:
    return spine.up("registration").service("registration").url


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def path(spine: Spine, url: str) -> str:
    """The documents of an application that is with an officer."""
    body = form(**TELECOM, enterprise_name=name_of_its_own("互联网信息服务"))
    judged = (await submit(spine, body)).json()
    assert judged["status"] == "in_review"
    return f"{url}/v1/applications/{judged['id']}/documents"


async def supply(
    path: str, query: str, content: bytes = PDF, media_type: str = "application/pdf", **more: Any
) -> httpx.Response:
    return await send(f"{path}?{query}", content, content_type=media_type, **more)


async def test_a_document_is_kept_with_its_hash_its_supplier_and_the_moment(path: str) -> None:
    stated = hashlib.sha256(PDF).hexdigest()
    answer = await supply(path, f"kind=identity_proof&investor=0&proof=apostilled&sha256={stated}")
    assert answer.status_code == 201, answer.text
    kept = answer.json()
    assert (kept["sha256"], kept["size"], kept["supplied_by"]) == (stated, len(PDF), "applicant-1")
    listed = (await get(path, person="registrar-1")).json()["items"]
    assert kept in listed
    read = await get(f"{path}/{kept['id']}", person="registrar-1")
    assert (read.content, read.headers["content-type"]) == (PDF, "application/pdf")
    assert read.headers["x-content-type-options"] == "nosniff"
    for somebody in ("applicant-2", "agent-1"):
        assert (await get(path, person=somebody)).status_code == 404
        assert (await get(f"{path}/{kept['id']}", person=somebody)).status_code == 404
        assert (await supply(path, "kind=other", person=somebody)).status_code == 404


@pytest.mark.parametrize(
    ("query", "content", "field", "code"),
    [
        ("kind=other", b"", "", "document_empty"),
        ("kind=other", b"MZ\x90", "", "document_of_another_type"),
        ("kind=other", b"\x89PNG\r\n\x1a\n", "", "document_of_another_type"),
        (f"kind=other&sha256={'0' * 64}", PDF, "sha256", "document_changed_on_its_way"),
        ("kind=identity_proof", PDF, "investor", "investor_missing"),
        ("kind=identity_proof&investor=2", PDF, "investor", "investor_unknown"),
        ("kind=identity_proof&investor=0", PDF, "proof", "proof_missing"),
    ],
)
@pytest.mark.parametrize("language", ["zh", "en"])
async def test_what_cannot_be_kept_is_said_with_the_field(
    path: str, query: str, content: bytes, field: str, code: str, language: str
) -> None:
    answer = await supply(path, query, content, language=language)
    assert answer.status_code == 422, answer.text
    [fault] = answer.json()["errors"]
    assert (fault["field"], fault["code"]) == (field, code)
    assert fault["detail"]


async def test_a_chinese_investors_identity_needs_no_attestation(path: str) -> None:
    assert (await supply(path, "kind=identity_proof&investor=1")).status_code == 201


async def test_a_file_may_be_ten_times_as_large_as_a_form_and_no_larger(path: str) -> None:
    mebibyte = 1024 * 1024
    assert (await supply(path, "kind=other", PDF + b"y" * (2 * mebibyte))).status_code == 201
    assert (await supply(path, "kind=other", b"%PDF-" + b"y" * (10 * mebibyte))).status_code == 413
    assert (await supply(path, "kind=other", b"{}", "application/json")).status_code == 415
    assert (await send(path.removesuffix("/documents"), b"{" + b" " * mebibyte + b"}")).status_code in (405, 413)


async def test_the_same_file_under_the_same_key_is_kept_once(path: str) -> None:
    key = str(uuid4())
    first, again = [await supply(path, "kind=permit", key=key) for _ in range(2)]
    assert first.json() == again.json()
    assert again.headers["idempotency-replayed"] == "true"
    other = await supply(path, "kind=permit", PDF + b"z", key=key)
    assert other.json()["type"].endswith(":idempotency-other-body")


async def test_after_the_decision_nothing_is_added(spine: Spine, url: str) -> None:
    judged = (await submit(spine)).json()
    answer = await supply(f"{url}/v1/applications/{judged['id']}/documents", "kind=other")
    assert answer.json()["type"].endswith(":application-registered")
