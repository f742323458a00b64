"""How many enterprises stand in each class: now, by group and beside what others have published, and day by day."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import accumulate
from typing import Any

from fastapi import Request, Response

from libs.common.web.running import running
from services.lobby import asking, views, words
from services.lobby.names import name_of
from services.lobby.pages.purpose import Supervision
from services.lobby.rendering import page
from services.lobby.route import pages

routes = pages()

GROUPS: Mapping[str, str] = {
    "sector": words.N_("By section"), "area": words.N_("By area"), "ownership": words.N_("By ownership"),
}  # fmt: skip
PERIODS = (30, 90, 366)


@dataclass(frozen=True, slots=True)
class Share:
    """Enterprises of a class: how many, what percent of all, and what percent come before it in the bar."""

    letter: str
    count: int
    percent: float
    before: float


@dataclass(frozen=True, slots=True)
class Row:
    """One bar and its numbers; `note` says where they come from, where they are not ours."""

    name: str
    total: int
    shares: Sequence[Share]
    note: str = ""
    confidence: str = ""


@routes.get("/{lang:language}/risk/distribution")
async def distribution(request: Request, _: Supervision, by: str = "sector", days: int = 30) -> Response:
    """No enterprise is shown here, so that no purpose is asked for."""
    by, days = by if by in GROUPS else "sector", days if days in PERIODS else PERIODS[0]
    since = (running(request).clock.today() - timedelta(days=days - 1)).isoformat()
    found = (await asking.get(request, "risk", "/v1/risk/distribution", by=by)).data
    answers, away = await asking.every({"trend": asking.get(request, "risk", "/v1/risk/trend", since=since)})
    trend = list(asking.items(answers, "trend"))
    return page(
        request, "distribution.html", ours=bar_of(words.say(words.N_("This district, today")), found["classes"]),
        published=[published_bar(one) for one in found["published"]], by=by, groups=GROUPS, days=days, periods=PERIODS,
        rows=[bar_of(group_name(by, one["key"]), one["classes"]) for one in found["groups"]], away=away,
        trend=_changes(trend), areas=stacked([one["classes"] for one in trend]), last=len(trend),
    )  # fmt: skip


def group_name(by: str, key: str) -> str:
    """What a group is called. Nobody has said of some enterprises where they belong."""
    if not key:
        return words.say(words.N_("Not stated"))
    if by == "ownership":
        return words.say(views.OWNERSHIPS.get(key, key))
    return f"{key} {name_of('section', key)}" if by == "sector" else name_of("area", key)


def bar_of(name: str, classes: Mapping[str, int]) -> Row:
    """A bar of ours."""
    return Row(name, sum(classes.values()), shares(classes))


def published_bar(one: Mapping[str, Any]) -> Row:
    """A bar of what another place has reported."""
    classes = {letter: part["count"] for letter, part in one["classes"].items()}
    return Row(f"{name_of('place', one['place'])} {one['year']}", sum(classes.values()), shares(classes), one["source"],
               one["confidence"])  # fmt: skip


def shares(classes: Mapping[str, int]) -> list[Share]:
    """Each class's part of a bar of 100, from A to D."""
    total = sum(classes.values())
    percents = [100 * classes.get(letter, 0) / total if total else 0.0 for letter in views.CLASSES]
    befores = accumulate(percents, initial=0.0)
    return [
        Share(letter, classes.get(letter, 0), round(percent, 2), round(before, 2))
        for letter, percent, before in zip(views.CLASSES, percents, befores, strict=False)
    ]


def stacked(days: Sequence[Mapping[str, int]]) -> list[tuple[str, str]]:
    """For each class a path over a box of 100 by one for each day, the largest first: what is drawn later lies on top,
    so that each class shows its own share alone."""
    cuts = [[share.before + share.percent for share in shares(classes)] for classes in days]
    return [
        (letter, f"M0 100{''.join(f'V{100 - cut[n]:.1f}H{day}' for day, cut in enumerate(cuts, 1))}V100Z")
        for n, letter in reversed(list(enumerate(views.CLASSES)))
    ]


def _changes(days: Iterable[Mapping[str, Any]]) -> list[tuple[str, Mapping[str, int]]]:
    """The days on which the counts became others, the newest first; those between are as the one before."""
    found: list[tuple[str, Mapping[str, int]]] = []
    for one in days:
        if not found or found[-1][1] != one["classes"]:
            found.append((one["on"], one["classes"]))
    return found[::-1]
