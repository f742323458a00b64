"""Tokens that prove nothing, keys that come and go, and an issuer that is away: told by a real service process."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jwt
from joserfc.jwk import ECKey

from deploy.local import issuer
from deploy.local.issuer import Issuer, keys, tokens
from deploy.local.issuer.people import person
from libs.common import identity
from libs.common.identity import IssuerAway, Refused, Verifier
from tests.http.wire import client
from tests.spine import Spine, eventually

PATH = "/v1/risk/distribution"


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Issuer]:
    """An issuer of these tests alone: its keys are rotated and withdrawn, and it is killed."""
    running = issuer.in_folder(tmp_path_factory.mktemp("issuer"))
    running.start()
    yield running
    running.kill()


@pytest.fixture(scope="module")
def url(spine: Spine, own: Issuer) -> str:
    return spine.service("risk").start(OIDC_ISSUER=own.url).wait_ready().url


def ask_with(url: str, token: str | None, path: str = PATH) -> httpx.Response:
    shown = {} if token is None else {"authorization": f"Bearer {token}"}
    return httpx.get(f"{url}{path}", headers={"accept-language": "en", "purpose": "case_handling", **shown})


def assert_refused(answer: httpx.Response) -> None:
    assert answer.status_code == 401, answer.text
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json()["type"] == "urn:one-window:problem:unauthenticated"


def claims(own: Issuer, **changes: Any) -> dict[str, Any]:
    now = int(time.time())
    whole = {"iss": own.url, "aud": "one-window", "sub": "regulator-1", "roles": ["regulator"], "iat": now}
    return {name: value for name, value in {**whole, "exp": now + 60, **changes}.items() if value is not None}


def signed(own: Issuer, *, key: ECKey | None = None, head: dict[str, Any] | None = None, **changes: Any) -> str:
    """A token as the issuer signs it, with some claims changed."""
    with_key = key or keys.read(own.folder).signing
    return jwt.encode(
        {"alg": "ES256", "kid": with_key.kid, "typ": "at+jwt", **(head or {})}, claims(own, **changes), with_key
    )


def raw(head: dict[str, Any], body: dict[str, Any], sign: Callable[[bytes], bytes]) -> str:
    """A token that no library would make."""
    first = ".".join(_text(json.dumps(part).encode()) for part in (head, body))
    return f"{first}.{_text(sign(first.encode()))}"


def _text(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).decode().rstrip("=")


def with_the_public_key_as_secret(own: Issuer) -> str:
    published = keys.read(own.folder).signing
    secret = published.public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    head = {"alg": "HS256", "kid": published.kid, "typ": "at+jwt"}
    return raw(head, claims(own), lambda text: hmac.new(secret, text, hashlib.sha256).digest())


def of_a_stranger_under_the_published_name(own: Issuer) -> str:
    foreign = ECKey.generate_key("P-256")
    return signed(own, key=foreign, head={"kid": keys.read(own.folder).signing.kid})


ATTACKS: dict[str, Callable[[Issuer], str]] = {
    "garbage": lambda _: "not.a.token",
    "one byte": lambda _: "x",
    "the algorithm none": lambda own: raw(
        {"alg": "none", "kid": keys.read(own.folder).signing.kid, "typ": "at+jwt"}, claims(own), lambda _: b""
    ),
    "the public key as a shared secret": with_the_public_key_as_secret,
    "another audience": lambda own: signed(own, aud="another-window"),
    "no audience": lambda own: signed(own, aud=None),
    "another issuer": lambda own: signed(own, iss="https://issuer.example"),
    "expired": lambda own: signed(own, exp=int(time.time()) - 60),
    "never to expire": lambda own: signed(own, exp=None),
    "not yet": lambda own: signed(own, nbf=int(time.time()) + 600),
    "a foreign key": lambda own: signed(own, key=ECKey.generate_key("P-256", auto_kid=True)),
    "a foreign key under a published name": of_a_stranger_under_the_published_name,
    "a key that comes along": lambda own: signed(
        own, key=(foreign := ECKey.generate_key("P-256", auto_kid=True)), head={"jwk": foreign.as_dict(private=False)}
    ),
    "an ID token": lambda own: tokens.id_token(
        own.url, person("regulator-1"), "lobby", None, keys.read(own.folder).signing
    ),
    "an ID token for our audience": lambda own: tokens.id_token(
        own.url, person("regulator-1"), "one-window", None, keys.read(own.folder).signing
    ),
    "changed after it was signed": lambda own: _promoted(own.token("applicant-1")),
    "nobody": lambda own: signed(own, sub=None),
    "no roles": lambda own: signed(own, roles=None),
    "roles in one text": lambda own: signed(own, roles="regulator"),
}


def _promoted(token: str) -> str:
    head, body, signature = token.split(".")
    read = json.loads(base64.urlsafe_b64decode(body + "=="))
    return f"{head}.{_text(json.dumps({**read, 'roles': ['regulator']}).encode())}.{signature}"


def test_the_issuers_own_token_opens_what_its_roles_may(own: Issuer, url: str) -> None:
    assert ask_with(url, own.token("regulator-1")).status_code == 200
    assert ask_with(url, signed(own)).status_code == 200, "the attacks below differ from this one alone"
    assert ask_with(url, signed(own, aud=["lobby", "one-window"])).status_code == 200
    refused = ask_with(url, own.token("applicant-1"))
    assert (refused.status_code, refused.json()["type"]) == (403, "urn:one-window:problem:forbidden")
    unheard_of = ask_with(url, signed(own, roles=["regulator-in-chief"]))
    assert unheard_of.status_code == 403


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_token_that_proves_nothing_is_refused(own: Issuer, url: str, attack: str) -> None:
    assert_refused(ask_with(url, ATTACKS[attack](own)))


def test_a_refused_token_opens_no_public_page_either(own: Issuer, url: str) -> None:
    assert ask_with(url, None, "/v1/keys").status_code == 200
    assert_refused(ask_with(url, "garbage", "/v1/keys"))


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("authorization", "")],
        [("authorization", "Bearer")],
        [("authorization", "Basic cmVndWxhdG9yLTE6cHc=")],
        [("authorization", "{token}")],
        [("authorization", "Bearer {token}"), ("authorization", "Bearer {token}")],
        [("authorization", "Bearer {token} {token}")],
        [("cookie", "access_token={token}")],
    ],
)
async def test_a_token_counts_only_where_it_belongs(own: Issuer, url: str, headers: list[tuple[str, str]]) -> None:
    token = own.token("regulator-1")
    async with client(person=None) as asking:
        answer = await asking.get(
            f"{url}{PATH}", headers=[(name, value.format(token=token)) for name, value in headers]
        )
    assert_refused(answer)


def test_a_new_key_is_accepted_at_once_and_a_withdrawn_one_refused_when_the_keys_are_read_again(
    own: Issuer, url: str
) -> None:
    first = keys.read(own.folder).signing
    by_first = own.token("regulator-1")
    assert ask_with(url, by_first).status_code == 200

    keys.rotate(own.folder)
    by_second = own.token("regulator-1")
    assert by_second != by_first
    assert ask_with(url, by_second).status_code == 200
    assert ask_with(url, by_first).status_code == 200, "it is still published"

    keys.withdraw(own.folder, str(first.kid))
    keys.rotate(own.folder)
    assert ask_with(url, own.token("regulator-1")).status_code == 200, "for this one the keys were read again"
    assert_refused(ask_with(url, by_first))
    assert ask_with(url, by_second).status_code == 200


async def test_while_the_issuer_is_away_the_known_go_on_and_a_newborn_service_lets_nobody_in(
    spine: Spine, own: Issuer, url: str
) -> None:
    known, unknown = own.token("regulator-1"), own.token("auditor-1")
    assert ask_with(url, known).status_code == 200
    own.kill()
    newborn = spine.service("risk", "newborn").start(OIDC_ISSUER=own.url).wait_ready()
    try:
        assert ask_with(url, known).status_code == 200
        assert ask_with(url, unknown).status_code == 200, "its key is known"
        for _ in range(2):
            away = ask_with(newborn.url, known)
            assert (away.status_code, away.json()["type"]) == (503, "urn:one-window:problem:issuer-away")
            assert int(away.headers["retry-after"]) >= 1
        assert ask_with(newborn.url, None, "/v1/keys").status_code == 200, "who shows no token need not wait for it"
        assert_refused(ask_with(newborn.url, None))

        own.start()

        async def let_in() -> bool:
            return ask_with(newborn.url, known).status_code == 200

        await eventually(let_in)
    finally:
        newborn.kill()
        own.start()


@pytest.fixture
async def silent_issuer() -> AsyncIterator[tuple[str, list[float]]]:
    """One that takes every question and answers none; and when each came."""
    asked: list[float] = []

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(time.monotonic())
        await reader.read()
        writer.close()

    async with await asyncio.start_server(hear, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", asked


async def test_a_crowd_before_a_silent_issuer_asks_once_and_is_answered_together(
    silent_issuer: tuple[str, list[float]],
) -> None:
    url, asked = silent_issuer
    verifier = Verifier(url, "one-window")
    began = time.monotonic()
    answers = await asyncio.gather(*(verifier.caller("a.b.c") for _ in range(200)), return_exceptions=True)
    assert {type(answer) for answer in answers} == {IssuerAway}
    assert time.monotonic() - began < 2 * identity.ASKING_SECONDS, "nobody waits for the others one after the other"
    assert len(asked) == 1

    with pytest.raises(IssuerAway):
        await asyncio.wait_for(verifier.caller("a.b.c"), timeout=0.5)
    assert len(asked) == 1, "it was asked a moment ago"


async def test_one_who_gives_up_does_not_take_the_answer_from_the_others(own: Issuer) -> None:
    verifier = Verifier(own.url, "one-window")
    token = own.token("regulator-1")
    first = asyncio.create_task(verifier.caller(token))
    others = [asyncio.create_task(verifier.caller(token)) for _ in range(5)]
    await asyncio.sleep(0)
    first.cancel()
    assert {(await other).subject for other in others} == {"regulator-1"}


async def test_stale_keys_are_read_beside_the_requests_and_callers_forgotten_with_them(
    own: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    verifier = Verifier(own.url, "one-window")
    withdrawn, token = keys.read(own.folder).signing.kid, own.token("regulator-1")
    await verifier.caller(token)
    keys.rotate(own.folder)
    keys.withdraw(own.folder, str(withdrawn))
    assert (await verifier.caller(token)).subject == "regulator-1", "fresh keys are not asked for"

    monkeypatch.setattr(identity, "FRESH_SECONDS", 0.0)
    monkeypatch.setattr(identity, "PAUSE_SECONDS", 0.0)

    async def forgotten() -> bool:
        try:
            await verifier.caller(token)
        except Refused:
            return True
        return False

    await eventually(forgotten)


async def test_an_issuer_that_calls_itself_otherwise_is_not_believed(own: Issuer) -> None:
    verifier = Verifier(own.url.replace("127.0.0.1", "localhost"), "one-window")
    with pytest.raises(IssuerAway):
        await verifier.caller(own.token("regulator-1"))


@pytest.mark.parametrize("length", [10, 100_000])
async def test_a_token_of_nothing_but_brackets_is_only_refused(own: Issuer, length: int) -> None:
    verifier = Verifier(own.url, "one-window")
    await verifier.caller(own.token("regulator-1"))
    with pytest.raises(Refused):
        await verifier.caller(f"{_text(b'[' * length)}.{_text(b'[' * length)}.x")
