"""Templates, routes and headers of the lobby, without the other services."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import httpx
import pytest
from fastapi.routing import APIRoute
from jinja2 import meta

from libs.common.web.rights import rights_of
from services.lobby import rendering
from services.lobby.asking import OPEN_SECONDS, Breaker
from services.lobby.pages import ROUTERS
from services.lobby.route import PageRoute, own_path

TEMPLATES = Path(rendering.__file__).parent / "templates"
ROUTE = TEMPLATES.parent / "route.py"
GIVEN = {
    "lang", "htmlLang", "cspNonce", "token", "caller", "who", "menu", "path", "other_language", "today", "now", "trace",
    "desk",
}  # fmt: skip
"""What every page is given."""
OF_THE_LAYOUT = {"containerClasses", "bodyClasses", "htmlClasses", "errors"}
PAGE_ROUTES = [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]
SAFE = {
    "layout.html": 1,  # what the navigation macro made
    "queue.html": 1,  # aria-current
    "enterprise.html": 1,  # lang
}  # fmt: skip


def given_by_pages() -> set[str]:
    """The names that the pages' code gives to templates."""
    code = "\n".join(path.read_text() for path in [*(TEMPLATES.parent / "pages").glob("*.py"), ROUTE])
    return {name for pair in re.findall(r'\b([a-z_]+)=|"([a-z_]+)":', code) for name in pair}


def bound_in(text: str) -> set[str]:
    """The names that a template makes itself, for its blocks too."""
    imported = re.findall(r"import (govuk\w+)|import \S+ as (\w+)", text)
    return {*re.findall(r"{% set (\w+)", text), *(name for found in imported for name in found)}


@pytest.mark.parametrize("template", sorted(path.name for path in TEMPLATES.glob("*.html")))
def test_a_template_uses_only_what_it_is_given(template: str) -> None:
    """A misspelt name is empty on the page, and no error."""
    environment, text = rendering.environment(), (TEMPLATES / template).read_text()
    wanted = meta.find_undeclared_variables(environment.parse(text)) - environment.globals.keys()
    assert wanted - GIVEN - OF_THE_LAYOUT - bound_in(text) - given_by_pages() == set()


def test_nothing_is_called_safe_but_what_a_macro_or_we_ourselves_made() -> None:
    found = {path.name: path.read_text().count("| safe") for path in TEMPLATES.glob("*.html")}
    assert {name: count for name, count in found.items() if count} == SAFE


def test_no_template_has_a_style_or_a_script_of_its_own() -> None:
    bad = [
        path.name
        for path in TEMPLATES.glob("*.html")
        if re.search(r"\sstyle=|<script(?![^>]*nonce)|\son[a-z]+=|hx-on|javascript:", path.read_text())
    ]
    assert bad == []


def test_every_htmx_element_carries_the_nonce_and_every_form_its_token() -> None:
    for path in TEMPLATES.glob("*.html"):
        for tag in re.findall(r"<[^>]*\shx-[a-z:]+=[^>]*>", path.read_text()):
            assert "hx-nonce" in tag, (path.name, tag)
        for form in re.findall(r'<form method="post".*?</form>', path.read_text(), re.S):
            assert "_token" in form or "token_field" in form, path.name


def test_every_page_names_its_roles_or_says_that_anyone_may() -> None:
    assert all(type(route) is PageRoute for route in PAGE_ROUTES)
    open_to_all = {route.path_format for route in PAGE_ROUTES if rights_of(route.dependant, route.path) is None}
    assert open_to_all == {
        "/", "/{lang}/", "/{lang}/names", "/{lang}/help", "/{lang}/accessibility", "/{lang}/privacy", "/{lang}/sign-in",
        "/sign-in/back", "/{lang}/sign-out", "/v/{permit_id}", "/{lang}/v/{permit_id}", "/l/{uscc}", "/{lang}/l/{uscc}",
        "/{lang}/l",
        "/static/dist/{name}",
        "/{lang}/{nowhere}",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("given", "path"),
    [("/zh/cases", "/zh/cases"), ("//elsewhere.example", None), ("https://elsewhere.example", None), ("", None),
     ("/\\elsewhere.example", None), ("/zh/\r\nset-cookie: x", None), (None, None)],
)  # fmt: skip
def test_only_own_paths_are_returned_to(given: str | None, path: str | None) -> None:
    assert own_path(given) == path


def test_a_service_that_fails_again_and_again_is_left_alone_for_a_while() -> None:
    breaker = Breaker()
    for _ in range(4):
        breaker.note(answered=False)
    assert not breaker.is_open
    breaker.note(answered=False)
    assert breaker.is_open
    breaker.open_until -= OPEN_SECONDS
    assert not breaker.is_open
    breaker.note(answered=True)
    assert breaker.failures == 0


async def test_every_answer_carries_its_guards(client: httpx.AsyncClient) -> None:
    for path in (
        "/zh/",
        "/zh/nowhere",
        "/nowhere",
        "/zh/cases",
        "/health/live",
        rendering.environment().globals["asset"]("app.css"),
    ):
        answer = await client.get(path)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
        kept = "immutable" in answer.headers["cache-control"]
        assert kept == path.startswith("/static/"), path


def test_every_page_on_risk_says_that_it_is_for_internal_use() -> None:
    """They stand on one frame, which says so; the question for the purpose says it itself."""
    notice = "not a ground for penalty, and must not be published"
    assert notice in (TEMPLATES / "risk_desk.html").read_text()
    routes = [route for route in PAGE_ROUTES if route.path_format.startswith("/{lang}/risk")]
    code = "".join(
        {route.endpoint.__module__: inspect.getsource(inspect.getmodule(route.endpoint)) for route in routes}.values()
    )  # type: ignore[arg-type]
    shown = set(re.findall(r'"(\w+\.html)"', code)) - {"purpose.html", "not_found.html"}
    assert len(shown) >= 9
    assert [name for name in shown if 'extends "risk_desk.html"' not in (TEMPLATES / name).read_text()] == []


async def test_two_pages_have_two_nonces(client: httpx.AsyncClient) -> None:
    found = {
        re.findall(r"'nonce-([^']+)'", (await client.get("/zh/")).headers["content-security-policy"])[0] for _ in "12"
    }
    assert len(found) == 2


async def test_who_is_not_signed_in_is_sent_there_and_back(client: httpx.AsyncClient) -> None:
    for route in PAGE_ROUTES:
        if rights_of(route.dependant, route.path) is None:
            continue
        path = re.sub(r"\{(\w*id)\}", "6105cc38-1855-416d-a878-494a36227cef", route.path_format)
        path = path.replace("{uscc}", "91310106MA0000015B")
        path = re.sub(r"\{number\}", "1", path).replace("{lang}", "en")
        path = re.sub(r"\{\w+\}", "x", path)
        for method in route.methods or ():
            answer = await client.request(method, path)
            assert answer.status_code == 303, path
            assert answer.headers["location"].startswith("/en/sign-in?after=/en/"), path


@pytest.mark.parametrize(
    ("headers", "language"),
    [({}, "zh"), ({"accept-language": "en-GB,en"}, "en"), ({"accept-language": "fr"}, "zh"),
     ({"accept-language": "en", "cookie": "language=zh"}, "zh"), ({"cookie": "language=xx"}, "zh")],
)  # fmt: skip
async def test_the_first_page_speaks_the_readers_language(
    client: httpx.AsyncClient, headers: dict[str, str], language: str
) -> None:
    client.cookies.clear()
    assert (await client.get("/", headers=headers)).headers["location"] == f"/{language}/"


async def test_when_licensing_is_away_the_certificate_page_says_so(client: httpx.AsyncClient) -> None:
    answer = await client.get("/en/v/6105cc38-1855-416d-a878-494a36227cef")
    assert answer.status_code == 503
    assert "Licensing does not answer" in answer.text


async def test_the_code_on_a_printed_licence_leads_to_the_readers_language(client: httpx.AsyncClient) -> None:
    answer = await client.get("/l/91310106MA0000015B?v=2", headers={"accept-language": "en"})
    assert answer.headers["location"] == "/en/l/91310106MA0000015B?v=2"
    away = await client.get(answer.headers["location"])
    assert away.status_code == 503


async def test_built_files_come_compressed_to_those_who_can_read_it(client: httpx.AsyncClient) -> None:
    path = rendering.environment().globals["asset"]("app.css")
    plain = await client.get(path, headers={"accept-encoding": "identity"})
    small = await client.get(path, headers={"accept-encoding": "gzip"})
    assert plain.content == small.content
    assert int(small.headers["content-length"]) < len(plain.content) / 4
    assert (await client.get("/static/dist/manifest.json")).status_code == 404
