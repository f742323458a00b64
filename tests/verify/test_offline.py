"""The offline verifier, run as anyone would run it, on what the services sign."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.local.stack import CHECKOUT
from libs.common import signature
from libs.common.signature import Keyring
from verify.document import NotGenuine, verify

NOW = datetime.now(UTC)
PERMIT = {"permit_id": "P-1", "item": "食品经营许可", "uscc": "91310106MA0000015B"}
KEY = signature.generate(at=NOW)
TOKEN = signature.sign(PERMIT, kind="permit", keys=Keyring((KEY,)), at=NOW)

RETIRED = msgspec.structs.replace(KEY, retired_at=NOW - timedelta(minutes=1))


def program(tmp_path: Path, document: str, *keys: signature.Key) -> subprocess.CompletedProcess[str]:
    (tmp_path / "document").write_text(document)
    (tmp_path / "keys.json").write_text(json.dumps(Keyring(keys).public()))
    return subprocess.run(
        [sys.executable, "-m", "verify", str(tmp_path / "document"), "--keys", str(tmp_path / "keys.json")],
        cwd=CHECKOUT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_a_genuine_permit_is_shown_with_who_signed_it(tmp_path: Path) -> None:
    done = program(tmp_path, TOKEN + "\n", KEY)
    assert done.returncode == 0, done.stdout
    assert "签名有效：permit" in done.stdout
    assert f"Genuine: permit, signed by key {KEY.kid}" in done.stdout
    assert "食品经营许可" in done.stdout


def test_a_certificate_as_the_service_answers_it_is_verified_by_its_signature(tmp_path: Path) -> None:
    assert program(tmp_path, json.dumps({"in_force": True, "jws": TOKEN}), KEY).returncode == 0
    assert program(tmp_path, json.dumps({"in_force": True}), KEY).returncode == 1


def test_a_document_of_a_retired_key_stays_genuine(tmp_path: Path) -> None:
    assert program(tmp_path, TOKEN, *signature.rotated([KEY], NOW + timedelta(minutes=1))).returncode == 0


@pytest.mark.parametrize(
    ("document", "keys", "zh", "en"),
    [
        ("no document", [KEY], "不是有效的签名文件", "no signed document"),
        (TOKEN[:-3] + "AAA", [KEY], "签名不符|不是有效", "does not hold|no signed"),
        (TOKEN, [signature.generate(at=NOW)], "密钥不在", "not in the key set"),
        (TOKEN, signature.revoked([KEY], KEY.kid, NOW), "已被吊销", "revoked"),
        (TOKEN, [RETIRED], "不在密钥有效期内", "did not sign"),
    ],
    ids=["no-document", "changed", "unknown-key", "revoked", "after-retirement"],
)  # fmt: skip
def test_what_is_not_genuine_is_refused_in_both_languages(
    tmp_path: Path, document: str, keys: list[signature.Key], zh: str, en: str
) -> None:
    done = program(tmp_path, document, *keys)
    assert done.returncode == 1
    assert any(words in done.stdout for words in zh.split("|"))
    assert any(words in done.stdout for words in en.split("|"))


def test_keys_that_cannot_be_read_are_another_matter_than_a_forgery(tmp_path: Path) -> None:
    (tmp_path / "document").write_text(TOKEN)
    done = subprocess.run(
        [sys.executable, "-m", "verify", str(tmp_path / "document"), "--keys", str(tmp_path / "nowhere")],
        cwd=CHECKOUT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "Cannot be read" in done.stderr


@given(at=st.integers(0, 10_000), flip=st.integers(0, 7))
def test_no_bit_can_be_turned_here_either(at: int, flip: int) -> None:
    at %= len(TOKEN)
    turned = bytearray(TOKEN.encode())
    turned[at] ^= 1 << flip
    with pytest.raises(NotGenuine):
        verify(turned.decode("latin-1"), Keyring((KEY,)).public()["keys"])


def test_the_program_needs_only_cryptography_and_python() -> None:
    imported = set()
    for path in (CHECKOUT / "verify").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom):
                imported.add((node.module or "").partition(".")[0])
            elif isinstance(node, ast.Import):
                imported |= {name.name.partition(".")[0] for name in node.names}
    assert imported - sys.stdlib_module_names == {"cryptography", "verify"}
