"""Pages from templates: the environment, the files that pages load, and what every page is given."""

import gzip
import json
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from fastapi import Request, Response
from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PackageLoader, PrefixLoader
from markupsafe import Markup, escape
from opentelemetry import trace

from libs.common.identity import Role
from libs.common.settings import Refused
from libs.common.web.running import running
from services.lobby import policy, views, words
from services.lobby.names import name_of
from services.lobby.words import N_

HERE = Path(__file__).parent
DIST = HERE / "static/dist"
GOVUK = "govuk_frontend_jinja"

SUPERVISION: frozenset[Role] = frozenset({"risk_analyst", "regulator", "supervisor", "auditor"})
NAVIGATION: tuple[tuple[str, str, frozenset[Role]], ...] = (
    (N_("My cases"), "cases", frozenset({"applicant", "agent"})),
    (N_("Apply"), "apply", frozenset({"applicant", "agent"})),
    (N_("Names"), "names", frozenset({"applicant", "agent"})),
    (N_("To sign"), "signatures", frozenset({"applicant", "agent"})),
    (N_("Work queue"), "queue", frozenset({"registrar"})),
    (N_("Register"), "register", frozenset({"registrar"})),
    (N_("Risk list"), "risk", SUPERVISION),
    (N_("Operations"), "operations", frozenset({"operator"})),
)
"""What the menu offers to whom; what a role may not do is absent, not grey."""
DESK: tuple[tuple[str, str, frozenset[Role]], ...] = (
    (N_("Risk list"), "risk", SUPERVISION),
    (N_("Distribution"), "risk/distribution", SUPERVISION),
    (N_("Warnings"), "risk/warnings", SUPERVISION),
    (N_("Watch lists"), "risk/watch-lists", SUPERVISION - {"auditor"}),
    (N_("Classes set by people"), "risk/overrides", SUPERVISION),
    (N_("Scorecards"), "risk/scorecards", SUPERVISION - {"supervisor"}),
)
"""The pages on risk, in the same way."""


@dataclass(frozen=True, slots=True)
class Asset:
    """A built file, also compressed, since the same bytes are sent to everybody."""

    media_type: str
    body: bytes
    compressed: bytes | None


@cache
def manifest() -> Mapping[str, str]:
    """Built names by plain ones. Raises Refused where nothing was built."""
    try:
        return dict(json.loads((DIST / "manifest.json").read_text()))
    except FileNotFoundError as error:
        raise Refused("lobby: the pages' styles and scripts are not built. `make assets` builds them.") from error


@cache
def assets() -> Mapping[str, Asset]:
    found = {}
    for name in manifest().values():
        body = (DIST / name).read_bytes()
        kind = "font/woff2" if name.endswith(".woff2") else mimetypes.guess_type(name)[0] or "application/octet-stream"
        found[name] = Asset(kind, body, None if kind == "font/woff2" else gzip.compress(body, 9, mtime=0))
    return found


@cache
def environment() -> Environment:
    made = Environment(
        loader=ChoiceLoader(
            [FileSystemLoader(HERE / "templates"), PrefixLoader({GOVUK: PackageLoader("govuk_frontend_jinja")})]
        ),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    words.install(made)
    made.globals |= {
        "asset": lambda name: f"/static/dist/{manifest()[name]}",
        "name_of": name_of,
        "named": named,
        "country_name": words.country_name,
        "currency_name": words.currency_name,
        "STATES": views.STATES,
        "MODES": views.MODES,
        "SOURCES": views.SOURCES,
        "CONFIDENCE": views.CONFIDENCE,
        "PURPOSES": views.PURPOSES,
        "CLASSES": views.CLASSES,
        "LISTS": views.LISTS,
        "OWNERSHIPS": views.OWNERSHIPS,
        "WARNING_KINDS": views.WARNING_KINDS,
        "WARNING_STATES": views.WARNING_STATES,
        "OUTCOMES": views.OUTCOMES,
        "OVERRIDE_STATES": views.OVERRIDE_STATES,
        "OVERRIDE_ENDS": views.OVERRIDE_ENDS,
        "CARD_STATES": views.CARD_STATES,
        "CARD_ACTS": views.CARD_ACTS,
        "SIGNED_BY": views.SIGNED_BY,
        "LIKENESSES": views.LIKENESSES,
        "BECAUSE": views.BECAUSE,
    }
    return made


def named(kind: policy.Kind, code: str) -> Markup:
    """What a code is called; a Chinese name on an English page says that it is Chinese."""
    text = escape(name_of(kind, code))
    found = policy.current()[kind].get(code)
    is_foreign = words.language.get() == "en" and found is not None and found.en is None
    return Markup('<span lang="zh-Hans-CN">{}</span>').format(text) if is_foreign else text


def page(request: Request, template: str, status: int = 200, **values: Any) -> Response:
    """A whole page, or the part that a template is."""
    lang = words.language.get()
    body = environment().get_template(template).render({**_given(request), "lang": lang, **values})
    return Response(body, status, {"content-language": lang}, "text/html; charset=utf-8")


def _given(request: Request) -> dict[str, Any]:
    lang = words.language.get()
    other = "en" if lang == "zh" else "zh"
    session, caller = request.state.session, request.state.caller
    path = request.url.path
    there = path.replace(f"/{lang}/", f"/{other}/", 1) if path.startswith(f"/{lang}/") else f"/{other}/"
    span = trace.get_current_span().get_span_context()
    menu = [
        {"text": words.say(text), "href": f"/{lang}/{where}", "active": path.startswith(f"/{lang}/{where}")}
        for text, where, roles in NAVIGATION
        if caller is not None and caller.has(*roles)
    ]
    desk = [
        (words.say(text), f"/{lang}/{where}", path == f"/{lang}/{where}")
        for text, where, roles in DESK
        if caller is not None and caller.has(*roles)
    ]
    return {
        "htmlLang": words.HTML_LANG[lang],
        "cspNonce": request.state.nonce,
        "token": session.form_token if session is not None else "",
        "caller": caller,
        "who": session.content["names"][lang] if caller is not None else "",
        "menu": menu,
        "desk": desk,
        "path": path,
        "other_language": f"{there}?{request.url.query}" if request.url.query else there,
        "today": running(request).clock.today(),
        "now": running(request).clock.now(),
        "trace": f"{span.trace_id:032x}" if span.is_valid else "",
    }
