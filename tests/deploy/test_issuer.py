"""The local issuer, lived through: started, stopped and asked for tokens; signed in to as the lobby does it."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import re
import secrets
import stat
import subprocess
import sys
from collections.abc import Iterator
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import psutil
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from deploy.local import issuer
from deploy.local.issuer import Issuer, keys, people
from deploy.local.processes import LocalStackError
from deploy.local.stack import CHECKOUT
from libs.common.identity import ROLES, Verifier

BACK = "http://127.0.0.1:8100/signed-in"
VERIFIER = secrets.token_urlsafe(48)
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
ASKED = {
    "response_type": "code", "client_id": "lobby", "redirect_uri": BACK, "scope": "openid", "state": "s-1",
    "nonce": "n-1", "code_challenge": CHALLENGE, "code_challenge_method": "S256",
}  # fmt: skip


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Issuer]:
    own = issuer.in_folder(tmp_path_factory.mktemp("issuer"))
    own.start()
    yield own
    own.kill()


def command(own: Issuer, *arguments: str) -> subprocess.CompletedProcess[str]:
    run = [sys.executable, "-m", "deploy.local.issuer", f"--folder={own.folder}", *arguments]
    return subprocess.run(run, cwd=CHECKOUT, capture_output=True, text=True, timeout=60, check=False)


def said(own: Issuer, *arguments: str) -> str:
    done = command(own, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def read(own: Issuer, token: str) -> dict[str, Any]:
    published = KeySet.import_key_set(httpx.get(f"{own.url}/jwks").json())
    return jwt.decode(token, published, algorithms=["ES256"]).claims


def sign_in(own: Issuer, person: str, **changes: str) -> httpx.Response:
    """Choose somebody on the page, sending all that it holds, as a browser without a script does."""
    page = httpx.get(f"{own.url}/authorize", params={**ASKED, **changes})
    assert page.status_code == 200, page.text
    fields = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page.text)
    return httpx.post(f"{own.url}/authorize", data={name: unescape(v) for name, v in fields} | {"person": person})


def answer_of(response: httpx.Response) -> dict[str, str]:
    """What a redirection brings back to the client."""
    assert response.status_code == 303
    assert response.headers["location"].startswith(f"{BACK}?")
    return {name: values[0] for name, values in parse_qs(urlsplit(response.headers["location"]).query).items()}


def exchange(own: Issuer, code: str, **changes: str) -> httpx.Response:
    form = {"grant_type": "authorization_code", "client_id": "lobby", "redirect_uri": BACK, "code_verifier": VERIFIER}
    return httpx.post(f"{own.url}/token", data={**form, "code": code, **changes})


def test_it_keeps_its_port_and_keys_over_a_stop_and_a_kill(running: Issuer) -> None:
    token = running.token("applicant-1")
    for end in (running.stop, running.kill):
        pid = running.process().pid
        end()
        assert running.process() is None
        running.start()
        assert running.process().pid != pid
        assert issuer.in_folder(running.folder) == running
        assert read(running, token)["sub"] == "applicant-1"


def test_it_listens_on_loopback_and_its_keys_are_nobody_elses(running: Issuer) -> None:
    listening = [c for c in psutil.Process(running.process().pid).net_connections("inet") if c.status == "LISTEN"]
    assert {c.laddr.ip for c in listening} == {"127.0.0.1"}
    assert stat.S_IMODE((running.folder / "keys.json").stat().st_mode) == 0o600
    assert set(httpx.get(f"{running.url}/jwks").json()["keys"][0]) >= {"kid", "x", "y"}
    assert all("d" not in key for key in httpx.get(f"{running.url}/jwks").json()["keys"])


def test_a_token_from_the_command_line_is_what_services_believe(running: Issuer) -> None:
    token = said(running, "token", "licensing-fire-1")
    caller = asyncio.run(Verifier(running.url, "one-window").caller(token))
    assert (caller.subject, caller.department) == ("licensing-fire-1", "fire_and_rescue")
    assert caller.roles == {"licensing_officer"}
    assert read(running, token)["exp"] - read(running, token)["iat"] == 3600

    unknown = command(running, "token", "mayor-1")
    assert unknown.returncode == 1
    assert unknown.stderr.startswith("Nobody is called 'mayor-1'.")
    assert unknown.stderr.count("\n") == 1


def test_every_role_has_somebody(running: Issuer) -> None:
    assert {role for one in people().values() for role in one.roles} == ROLES
    listed = said(running, "people").splitlines()
    assert [line.split()[0] for line in listed] == list(people())


def test_no_token_is_made_here_where_another_issuer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OIDC_ISSUER", "https://issuer.example")
    with pytest.raises(LocalStackError, match=r"OIDC_ISSUER names https://issuer\.example"):
        issuer.token("applicant-1")


def test_keys_rotate_and_are_withdrawn_by_command(running: Issuer) -> None:
    before = running.token("applicant-1")
    old = str(keys.read(running.folder).signing.kid)
    assert command(running, "withdraw", old).stderr == f"{old} signs: rotate first.\n"
    new = said(running, "rotate").split()[0]
    published = {key["kid"] for key in httpx.get(f"{running.url}/jwks").json()["keys"]}
    assert {old, new} <= published
    assert read(running, before)["sub"] == "applicant-1"
    said(running, "withdraw", old)
    assert old not in {key["kid"] for key in httpx.get(f"{running.url}/jwks").json()["keys"]}
    assert command(running, "withdraw", old).stderr == f"No key is called {old}.\n"


@pytest.mark.parametrize(("language", "title"), [("zh", "登录一窗（演示）"), ("en", "Sign in to One Window (demo)")])
def test_the_page_lists_everybody_but_programs_in_two_languages(running: Issuer, language: str, title: str) -> None:
    page = httpx.get(f"{running.url}/authorize", params=ASKED, headers={"accept-language": language})
    assert f"<h1>{title}</h1>" in page.text
    buttons = re.findall(r'<button name="person" value="([^"]+)">', page.text)
    assert buttons == [subject for subject in people() if subject != "city"]
    assert "<script" not in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    other = httpx.get(
        f"{running.url}/authorize", params={**ASKED, "ui_locales": "en"}, headers={"accept-language": "zh"}
    )
    assert "Sign in to One Window" in other.text


def test_signing_in_brings_a_token_for_the_window_and_one_for_the_lobby(running: Issuer) -> None:
    back = answer_of(sign_in(running, "registrar-1"))
    assert (back["state"], back["iss"]) == ("s-1", running.url)
    answer = exchange(running, back["code"])
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    found = answer.json()
    access, about = read(running, found["access_token"]), read(running, found["id_token"])
    assert (access["aud"], access["sub"], access["roles"]) == ("one-window", "registrar-1", ["registrar"])
    assert (about["aud"], about["sub"], about["nonce"]) == ("lobby", "registrar-1", "n-1")
    assert about["name"] == "登记官 1（演示） / Registrar 1 (demo)"

    again = exchange(running, back["code"])
    assert (again.status_code, again.json()) == (400, {"error": "invalid_grant"}), "a code is worth one exchange"


@pytest.mark.parametrize(
    "changes",
    [
        {"code_verifier": "another-verifier-than-the-one-that-was-hashed-at-first"},
        {"code_verifier": ""},
        {"redirect_uri": "http://127.0.0.1:8100/elsewhere"},
        {"client_id": "city"},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_stolen_code_is_worth_nothing(running: Issuer, changes: dict[str, str]) -> None:
    code = answer_of(sign_in(running, "registrar-1"))["code"]
    assert exchange(running, code, **changes).json() == {"error": "invalid_grant"}
    assert exchange(running, code).json() == {"error": "invalid_grant"}, "it was spent by the attempt"


@pytest.mark.parametrize(
    "changes",
    [
        {"redirect_uri": "https://thief.example/"},
        {"redirect_uri": "http://127.0.0.1.thief.example/"},
        {"redirect_uri": "http://127.0.0.1@thief.example/"},
        {"redirect_uri": "javascript:alert(1)"},
        {"redirect_uri": "http://127.0.0.1/#fragment"},
        {"redirect_uri": "http://[::1"},
        {"client_id": "city"},
        {"client_id": "<script>"},
    ],
)
def test_nobody_is_sent_to_a_stranger(running: Issuer, changes: dict[str, str]) -> None:
    asked = httpx.get(f"{running.url}/authorize", params={**ASKED, **changes})
    chosen = httpx.post(f"{running.url}/authorize", data={**ASKED, **changes, "person": "registrar-1"})
    for answer in (asked, chosen):
        assert answer.status_code == 400
        assert "location" not in answer.headers
        assert "thief" not in answer.text
        assert "<script>" not in answer.text


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "email"}, "invalid_scope"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": ""}, "invalid_request"),
    ],
)
def test_a_client_that_asks_wrongly_is_told_so(running: Issuer, changes: dict[str, str], error: str) -> None:
    answer = answer_of(httpx.get(f"{running.url}/authorize", params={**ASKED, **changes}))
    assert (answer["error"], answer["state"]) == (error, "s-1")


def test_what_a_client_sends_along_cannot_break_the_page(running: Issuer) -> None:
    page = httpx.get(f"{running.url}/authorize", params={**ASKED, "state": '"><script>alert(1)</script>'})
    assert "<script>" not in page.text


def test_the_city_platform_gets_its_token_with_its_secret_alone(running: Issuer) -> None:
    secret = said(running, "secret", "city")
    grant = {"grant_type": "client_credentials"}
    by_form = httpx.post(f"{running.url}/token", data={**grant, "client_id": "city", "client_secret": secret})
    by_head = httpx.post(f"{running.url}/token", data=grant, auth=("city", secret))
    for answer in (by_form, by_head):
        assert answer.status_code == 200
        assert "id_token" not in answer.json()
        assert read(running, answer.json()["access_token"])["roles"] == ["city_system"]
    for client, wrong in (("city", "guess"), ("city", ""), ("lobby", ""), ("registrar-1", secret)):
        refused = httpx.post(f"{running.url}/token", data=grant, auth=(client, wrong))
        assert (refused.status_code, refused.json()) == (401, {"error": "invalid_client"})
    assert httpx.post(f"{running.url}/token", data={"grant_type": "password"}).status_code == 400


def test_many_first_starts_at_once_make_one_set_of_keys(tmp_path: Any) -> None:
    own = issuer.in_folder(tmp_path)
    run = [sys.executable, "-m", "deploy.local.issuer", f"--folder={own.folder}", "token", "applicant-1"]
    starts = [subprocess.Popen(run, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    made = [one.communicate(timeout=60)[0].split(".")[0] for one in starts]
    assert len({json.loads(base64.urlsafe_b64decode(head + "=="))["kid"] for head in made}) == 1
