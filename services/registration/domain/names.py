"""The name of an enterprise: four parts, what may not stand in it, and whose name it is or resembles.

Source: Name Regulations (Order 734, in force 2021-03-01) Art 5-12, 16-18. A word of the law itself, and a trade name
that another holds in the same industry, refuse; what needs judgement goes to an officer; what only resembles another
name is shown, and the applicant answers for it (Art 16).
"""

import re
import unicodedata
from calendar import monthrange
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from services.registration.domain.application import Application, EnterpriseName, FaultCode
from services.registration.domain.policy import DISTRICT, NameWord, Policy
from services.registration.domain.screening import Outcome, worst
from services.registration.domain.structure import EnterpriseType

Likeness = Literal["same", "same_core", "same_sound"]
Held = Literal["reserved", "applied", "registered", "left"]
Article = Literal["5", "7", "8", "9", "10", "11", "12", "17"]

LAW = "Name Regulations (Order 734) Art {}; github:LawRefBook/Laws (commit 6ef77b0)"
CHINA = "（中国）"
CONTROLS = Decimal(50)
_WRITTEN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff〇（）()·]+")
_AFFIXES = ("国际", "集团", "控股", "新", "大", "老")
"""What a trade name may wear without becoming another one; the district's own setting."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A name and what it is judged beside: the form of the enterprise, its main activity, its foreign share, and the
    names of those who invest in it (only compared, never kept)."""

    name: EnterpriseName
    enterprise_type: EnterpriseType
    activity: str
    foreign_share: Decimal = Decimal(0)
    investors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Keys:
    """By what a name is found again. `trade`: the trade name as written, `core`: without what it may wear, `sound`: how
    that is spoken; `division`: the division of GB/T 4754 of the main activity."""

    full: str
    trade: str
    core: str
    sound: str
    industry: str
    division: str


@dataclass(frozen=True, slots=True)
class Taken:
    """A name that somebody holds, or held until lately (`left`), and how the asked one is like it."""

    full_name: str
    state: Held
    likeness: Likeness
    until: date | None


@dataclass(frozen=True, slots=True)
class NameGround:
    """Why a name is refused or goes to an officer. `word`: what of it, or the other's name; `field`: the part of it."""

    code: FaultCode
    outcome: Outcome
    field: str
    article: str
    source: str
    word: str = ""


@dataclass(frozen=True, slots=True)
class NameAnswer:
    """`alike`: names that it resembles without offending; who files it answers for that (Art 16)."""

    outcome: Outcome
    grounds: tuple[NameGround, ...]
    alike: tuple[Taken, ...] = ()


def application_plan(application: Application, investors: Iterable[str]) -> Plan:
    return Plan(
        application.name,
        application.enterprise_type,
        application.activities[0],
        application.structure.holding.foreign,
        tuple(investors),
    )


def normal(text: str) -> str:
    """Without what does not tell names apart: width, spaces, brackets and dots."""
    return re.sub(r"[\s()·]", "", unicodedata.normalize("NFKC", text)).casefold()


def core(trade: str) -> str:
    """The trade name without what it wears, unless fewer than two characters would be left."""
    for affix in _AFFIXES:
        bare = trade.removeprefix(affix).removesuffix(affix)
        trade = bare if len(bare) >= 2 else trade
    return trade


def months_after(day: date, months: int) -> date:
    """The same day of the month, or the last that the month has."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def keys(name: EnterpriseName, activity: str, policy: Policy) -> Keys:
    trade = normal(name.trade_name)
    bare = core(trade)
    sound = " ".join(policy.pinyin.get(character, character) for character in bare)
    return Keys(normal(name.full), trade, bare, sound, normal(name.industry), activity[:2])


def check(plan: Plan, taken: Sequence[Taken], policy: Policy) -> NameAnswer:
    """Every ground at once, so that the applicant mends them in one go. `taken`: names of the same industry, or that
    state none, that are alike (the caller has asked the register)."""
    own = {normal(investor) for investor in plan.investors}
    others = [one for one in taken if normal(one.full_name) not in own]  # who invests may carry the name on
    same = [one for one in others if one.likeness == "same"]
    grounds = (
        *_on_writing(plan.name),
        *_on_parts(plan, policy),
        *_on_words(plan, policy),
        *(NameGround("name_taken", "refused", "trade_name", "17", LAW.format(17), one.full_name) for one in same),
    )
    alike = tuple(one for one in others if one.likeness != "same")
    return NameAnswer(worst(ground.outcome for ground in grounds), grounds, alike)


def _refused(code: FaultCode, field: str, article: str, word: str = "") -> NameGround:
    return NameGround(code, "refused", field, article, LAW.format(article), word)


def _on_writing(name: EnterpriseName) -> Iterator[NameGround]:
    """Standard Chinese characters; brackets may set off a place."""
    for field in ("division", "trade_name", "industry", "form"):
        if not _WRITTEN.fullmatch(getattr(name, field)):
            yield _refused("name_not_chinese", field, "5")


def _on_parts(plan: Plan, policy: Policy) -> Iterator[NameGround]:
    name, trade = plan.name, normal(plan.name.trade_name)
    if normal(name.division) not in _divisions_here(policy):
        yield _refused("name_division_elsewhere", "division", "7")
    if trade in _places(policy):
        yield NameGround("name_is_a_place", "review", "trade_name", "8", LAW.format(8), trade)
    if trade in policy.industry_words or trade == normal(name.industry):
        yield NameGround("name_is_an_industry", "review", "trade_name", "8", LAW.format(8), trade)
    form = policy.name_forms.get(plan.enterprise_type)
    written = normal(name.form)
    if form is not None and not any(written == end or written.endswith(f"企业{end}") for end in form.endings):
        outcome: Outcome = "refused" if form.confidence == "verified" else "review"
        yield NameGround("name_form_does_not_fit", outcome, "form", "10", form.source, "、".join(form.endings))


def _divisions_here(policy: Policy) -> frozenset[str]:
    """上海, 上海市, and with it the district: 上海市静安区. A district alone will not do."""
    area = policy.areas[DISTRICT]
    city, district = policy.areas[area.parent_code].name_zh, area.name_zh
    cities = (city, city.removesuffix("市"))
    return frozenset({*cities, *(c + d for c in cities for d in (district, district.removesuffix("区")))})


def _places(policy: Policy) -> frozenset[str]:
    names = [area.name_zh for area in policy.areas.values() if area.level != "street"]
    return frozenset({*names, *(name[:-1] for name in names if len(name) > 2)})


def _on_words(plan: Plan, policy: Policy) -> Iterator[NameGround]:
    """The nine kinds of Art 11 and the great names of Art 12."""
    whole, trade = normal(plan.name.full), normal(plan.name.trade_name)
    rest = whole.removeprefix(normal(plan.name.division))
    if CHINA in plan.name.full:
        whole, rest = whole.replace("中国", ""), rest.replace("中国", "")
        code: FaultCode = (
            "name_china_of_a_foreign_trade_name" if plan.foreign_share > CONTROLS else "name_china_not_open"
        )
        outcome: Outcome = "review" if plan.foreign_share > CONTROLS else "refused"
        yield NameGround(code, outcome, "trade_name", "12", LAW.format(12), CHINA)
    said: set[str] = set()
    for row in policy.name_words:
        if row.word in whole and row.word not in said and _stands(row, whole, rest, trade):
            said.add(row.word)
            article = "12" if row.kind in ("state_approval", "sector_qualifier") else "11"
            outcome = "refused" if row.outcome == "refuse" and row.confidence == "verified" else "review"
            field = "trade_name" if row.word in trade else "industry"
            yield NameGround(f"name_{row.kind}", outcome, field, article, row.source, row.word)  # type: ignore[arg-type]


def _stands(row: NameWord, whole: str, rest: str, trade: str) -> bool:
    places = {
        "anywhere": True,
        "trade_name": trade == row.word,
        "start": whole.startswith(row.word) or rest.startswith(row.word),
        "inside": not whole.startswith(row.word) and row.word in rest,
    }
    return places[row.match]
