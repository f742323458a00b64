"""The risk list: enterprises by what they are and how they stand, narrowed by filters, page by page."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from fastapi import Request, Response

from services.lobby import asking, forms, policy, views, words
from services.lobby.names import name_of
from services.lobby.pages import purpose
from services.lobby.pages.enterprise import called
from services.lobby.pages.purpose import Supervision
from services.lobby.rendering import page
from services.lobby.route import pages

routes = pages()

ROWS = 25
NAMED: Mapping[str, policy.Kind] = {"sector": "section", "area": "area", "indicator": "indicator"}
"""Filters that choose among what has a name, and the kind of the name."""
OTHERS = ("risk_class", "ownership", "changed_since")


@routes.get("/{lang:language}/risk")
async def risk_list(request: Request, _: Supervision, cursor: str = "") -> Response:
    """Enterprises in the order of their USCC; all filters that are set must hold."""
    if (why := purpose.given(request)) is None:
        return purpose.ask(request)
    typed = {name: request.query_params.get(name, "").strip() for name in (*NAMED, *OTHERS)}
    wanted, errors = _wanted(typed)
    listed: dict[str, Any] = {"items": [], "next": None}
    if not errors:
        path = "/v1/risk/enterprises"
        listed = (await asking.get(request, "risk", path, purpose=why, cursor=cursor, limit=ROWS, **wanted)).data
    answers, away = await asking.every({"distribution": asking.get(request, "risk", "/v1/risk/distribution")})
    names, unnamed = await called(request, [row["uscc"] for row in listed["items"]])
    counts = (answers.get("distribution") or {}).get("classes", {})
    return page(
        request, "risk.html", 422 if errors else 200, rows=listed["items"], away=away + unnamed, why=why,
        typed=typed, names=names, errors=errors,
        options={name: _options(kind) for name, kind in NAMED.items()}, filtered=any(wanted.values()),
        tabs=[(letter, counts.get(letter, 0), _link(wanted, risk_class=letter)) for letter in views.CLASSES],
        everyone=(sum(counts.values()), _link(wanted, risk_class="")),
        further=_link(wanted, cursor=listed["next"]) if listed["next"] else "",
    )  # fmt: skip


def _wanted(typed: Mapping[str, str]) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """What is searched by, and what is wrong with it. A choice that is not offered is none."""
    wanted = {name: typed[name] if typed[name] in policy.current()[kind] else "" for name, kind in NAMED.items()}
    wanted["risk_class"] = typed["risk_class"] if typed["risk_class"] in views.CLASSES else ""
    wanted["ownership"] = typed["ownership"] if typed["ownership"] in views.OWNERSHIPS else ""
    wanted["changed_since"] = forms.read_day(typed["changed_since"]) or ""
    is_wrong = typed["changed_since"] and not wanted["changed_since"]
    return wanted, [("#changed_since", words.say(forms.WRONG_DAY))] if is_wrong else []


def _link(wanted: Mapping[str, str], **other: str) -> str:
    """The list by these filters, some of them otherwise."""
    return f"?{urlencode({name: value for name, value in {**wanted, **other}.items() if value})}"


def _options(kind: policy.Kind) -> list[tuple[str, str]]:
    return [(code, name_of(kind, code)) for code in policy.current()[kind]]
