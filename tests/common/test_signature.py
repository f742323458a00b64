"""What the window signs: genuine while its key is good, and never after a change."""

from __future__ import annotations

import base64
import json
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import httpx
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import OctKey

from deploy.local.keyrings import signing_keys
from deploy.local.stack import CHECKOUT
from libs.common import signature
from libs.common.settings import Refused
from libs.common.signature import Key, Keyring, NoSigningKey, NotGenuine, sign, verify
from tests.spine import Spine

NOON = datetime(2026, 1, 5, 12, 0, 0, tzinfo=UTC)
LICENCE = {"uscc": "91310106MA0000015B", "name": "上海青禾餐饮有限公司", "issued_on": "2026-01-05"}

RFC_8037 = Key(
    kid="rfc8037", alg="Ed25519", signs_from=NOON,
    jwk={
        "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
        "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
    },
)  # fmt: skip
"""The key of RFC 8037, appendix A."""

KNOWN = (
    "eyJhbGciOiJFZDI1NTE5Iiwia2lkIjoicmZjODAzNyIsInR5cCI6ImxpY2VuY2UrandzIiwiaWF0IjoxNzY3NjE0NDAwfQ."
    "eyJpc3N1ZWRfb24iOiIyMDI2LTAxLTA1IiwibmFtZSI6IuS4iua1t-mdkuemvumkkOmlruaciemZkOWFrOWPuCIsInVzY2MiOiI5MTMxMDEwNk1BM"
    "DAwMDAxNUIifQ."
)


def encoded(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def refused(token: str, *keys: Key) -> str:
    with pytest.raises(NotGenuine) as why:
        verify(token, keys)
    return str(why.value)


@pytest.fixture(scope="module")
def key() -> Key:
    return signature.generate(at=NOON)


def test_a_known_key_gives_the_known_answer() -> None:
    token = sign(LICENCE, kind="licence", keys=Keyring((RFC_8037,)), at=NOON)
    assert token.rpartition(".")[0] + "." == KNOWN, "canonical: names in order, no spaces, UTF-8"
    private = Ed25519PrivateKey.from_private_bytes(base64.urlsafe_b64decode(RFC_8037.jwk["d"] + "="))
    assert token == KNOWN + encoded(private.sign(KNOWN[:-1].encode())), "the same without our library for JWS"
    found = verify(token, [RFC_8037])
    assert (found.kind, found.kid, found.signed_at, found.document) == ("licence", "rfc8037", NOON, LICENCE)


def test_the_order_of_the_fields_does_not_matter() -> None:
    ring = Keyring((RFC_8037,))
    turned = dict(reversed(LICENCE.items()))
    assert sign(LICENCE, kind="licence", keys=ring, at=NOON) == sign(turned, kind="licence", keys=ring, at=NOON)


def test_after_a_rotation_the_new_key_signs_and_the_old_one_verifies_what_it_signed_before(key: Key) -> None:
    before = sign(LICENCE, kind="licence", keys=Keyring((key,)), at=NOON)
    keys = signature.rotated([key], NOON + timedelta(hours=1))
    after = sign(LICENCE, kind="licence", keys=Keyring(tuple(keys)), at=NOON + timedelta(hours=2))

    assert verify(before, keys).kid == key.kid
    assert verify(after, keys).kid == keys[-1].kid != key.kid
    assert len({one["kid"] for one in Keyring(tuple(keys)).public()["keys"]}) == 2


def test_a_retired_key_verifies_nothing_that_claims_to_be_signed_later(key: Key) -> None:
    late = sign(LICENCE, kind="licence", keys=Keyring((key,)), at=NOON + timedelta(hours=2))
    retired, _ = signature.rotated([key], NOON + timedelta(hours=1))
    assert refused(late, retired) == "outside-validity"


def test_a_key_verifies_nothing_from_before_it_was_made(key: Key) -> None:
    older = Keyring((msgspec.structs.replace(key, signs_from=NOON - timedelta(days=1)),))
    early = sign(LICENCE, kind="licence", keys=older, at=NOON - timedelta(hours=2))
    assert refused(early, key) == "outside-validity"


def test_a_revoked_key_verifies_nothing_and_another_takes_over(key: Key) -> None:
    before = sign(LICENCE, kind="licence", keys=Keyring((key,)), at=NOON)
    keys = signature.revoked([key], key.kid, NOON + timedelta(hours=1))
    assert refused(before, *keys) == "revoked-key"
    after = sign(LICENCE, kind="licence", keys=Keyring(tuple(keys)), at=NOON + timedelta(hours=1))
    assert verify(after, keys).kid == keys[-1].kid != key.kid


def test_without_a_key_that_may_sign_nothing_is_signed(key: Key) -> None:
    retired = msgspec.structs.replace(key, retired_at=NOON)
    with pytest.raises(NoSigningKey, match=r"Run: python -m libs.common.signature \S+ new"):
        sign(LICENCE, kind="licence", keys=Keyring((retired,)), at=NOON)
    with pytest.raises(NoSigningKey):
        sign(LICENCE, kind="licence", keys=Keyring((key,)), at=NOON - timedelta(hours=1))


def test_another_algorithm_is_refused_whatever_the_document_says(key: Key) -> None:
    payload = encoded(json.dumps(LICENCE).encode())
    header = {"kid": key.kid, "typ": "licence+jws", "iat": int(NOON.timestamp())}
    unsigned = encoded(json.dumps({**header, "alg": "none"}).encode())
    assert refused(f"{unsigned}.{payload}.", key) == "unknown-key"
    shared_secret = OctKey.import_key(base64.urlsafe_b64decode(key.jwk["x"] + "="))
    registry = jws.JWSRegistry({"iat": signature._registry.header_registry["iat"]}, ["HS256"])
    confused = jws.serialize_compact({**header, "alg": "HS256"}, payload, shared_secret, registry=registry)
    assert refused(confused, key) == "unknown-key"


def test_a_changed_document_another_key_and_another_header_are_refused(key: Key) -> None:
    token = sign(LICENCE, kind="licence", keys=Keyring((key,)), at=NOON)
    header, _, seal = token.split(".")
    changed = encoded(json.dumps({**LICENCE, "name": "上海别家有限公司"}).encode())
    assert refused(f"{header}.{changed}.{seal}", key) == "forged"

    other = signature.generate(at=NOON)
    assert refused(token, other) == "unknown-key"
    pretender = signature.Key(kid=key.kid, alg=key.alg, signs_from=NOON, jwk=other.jwk)
    assert refused(token, pretender) == "forged"
    for more in ({"jwk": {}}, {"crit": ["b64"], "b64": False}, {"jku": "https://elsewhere.example"}):
        with_more = {**json.loads(base64.urlsafe_b64decode(header + "==")), **more}
        assert refused(f"{encoded(json.dumps(with_more).encode())}.{token.partition('.')[2]}", key) == "malformed"


@given(at=st.integers(0, 10_000), flip=st.integers(0, 7))
def test_no_bit_can_be_turned(at: int, flip: int) -> None:
    token = sign(LICENCE, kind="licence", keys=Keyring((RFC_8037,)), at=NOON).encode()
    at %= len(token)
    turned = token[:at] + bytes([token[at] ^ (1 << flip)]) + token[at + 1 :]
    refused(turned.decode("latin-1"), RFC_8037)


@given(text=st.text(alphabet="ab.-_=eyJ{}", max_size=60))
def test_what_is_no_signed_document_is_called_so(text: str) -> None:
    assert refused(text, RFC_8037) in {"malformed", "unknown-key"}


def command(*given: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "libs.common.signature", *given], cwd=CHECKOUT, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip


def test_an_operator_makes_rotates_and_revokes_keys_and_a_running_service_follows(tmp_path: Path) -> None:
    file = tmp_path / "registration.json"
    settings = SimpleNamespace(service="registration", signing_keys=tmp_path)
    assert signature.keys(settings).keys == ()

    made = json.loads(command(str(file), "new").stdout)["keys"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "d" not in made[0], "what is printed is public"
    assert signature.keys(settings).public()["keys"] == made
    assert "rotate it instead" in command(str(file), "new").stderr

    rotated = json.loads(command(str(file), "rotate").stdout)["keys"]
    assert [one["kid"] for one in rotated][:1] == [made[0]["kid"]]
    revoked = json.loads(command(str(file), "revoke", rotated[1]["kid"]).stdout)["keys"]
    assert ["revoked_at" in one for one in revoked] == [False, True, False]
    assert signature.keys(settings).public()["keys"] == revoked
    assert command(str(file), "revoke", "nobody").returncode == 1


def test_a_keyring_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    file = tmp_path / "risk.json"
    file.write_text("[]{")
    with pytest.raises(Refused, match=r"risk\.json is no keyring"):
        signature.load(file)
    sm2 = signature.Key(kid="a", alg="SM2", signs_from=NOON, jwk={})
    signature.save(file, [sm2])
    with pytest.raises(Refused, match="does not know: SM2"):
        signature.load(file)


def test_the_keys_of_a_checkout_are_made_once(tmp_path: Path) -> None:
    folder = signing_keys(tmp_path)
    first = (folder / "registration.json").read_bytes()
    assert (signing_keys(tmp_path) / "registration.json").read_bytes() == first


@pytest.mark.parametrize("name", ["registration", "risk"])
async def test_every_service_publishes_its_public_keys(spine: Spine, name: str) -> None:
    spine.up(name)
    async with httpx.AsyncClient(base_url=spine.service(name).url) as client:
        [published] = (await client.get("/v1/keys")).raise_for_status().json()["keys"]
    [own] = signature.load(signing_keys() / f"{name}.json").keys
    assert published["kid"] == own.kid
    assert set(published) == {"kty", "crv", "x", "use", "alg", "kid", "signs_from"}, "and nothing private"
