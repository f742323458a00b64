"""The single form in steps: what is asked, how it is read, and the application that it makes. Pure.

A draft keeps what was typed; whether a step is complete is read from that, never stored.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from services.lobby import policy
from services.lobby.words import N_

FieldKind = Literal["text", "amount", "share", "date", "select", "radios", "yes"]
Typed = Mapping[str, Any]
"""What was typed into one step: text by field."""
MAX_TEXT = 200
MAX_INVESTORS = 50
MAX_ACTIVITIES = 50


@dataclass(frozen=True, slots=True)
class Field:
    """One question. `missing` is what is said when it is empty; a field without it is optional. `options` names a list
    of codes, or lists values with their words. `path` is where the answer goes in the application."""

    name: str
    label: str
    path: str
    kind: FieldKind = "text"
    missing: str = ""
    hint: str = ""
    options: str | tuple[tuple[str, str], ...] = ""
    width: str = ""

    def choices(self) -> frozenset[str]:
        if isinstance(self.options, str):
            return frozenset(policy.current()[self.options])  # type: ignore[index]
        return frozenset(value for value, _ in self.options)


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one field, in words of the catalogue."""

    field: str
    words: str


@dataclass(frozen=True, slots=True)
class Step:
    """One page of the form."""

    key: str
    title: str
    fields: tuple[Field, ...] = ()
    intro: str = ""


TYPES = (
    ("limited_company", N_("Limited liability company")),
    ("joint_stock_company", N_("Joint stock company")),
    ("partnership", N_("Partnership")),
    ("sole_proprietorship", N_("Sole proprietorship")),
    ("individual_business", N_("Individual business")),
    ("farmers_cooperative", N_("Farmers' cooperative")),
)
NAME_FORMS = tuple(
    (form, form) for form in ("有限公司", "股份有限公司", "合伙企业（有限合伙）", "合伙企业（普通合伙）", "中心", "店")
)
INVESTOR_KINDS = (
    ("legal", N_("Company or other body")),
    ("natural", N_("Natural person")),
    ("partnership", N_("Partnership")),
)
TREATIES = (
    ("", N_("None")),
    ("cepa", N_("CEPA (Hong Kong, Macao)")),
    ("ecfa", N_("ECFA (Taiwan)")),
    ("free_trade_agreement", N_("Free trade agreement")),
    ("investment_agreement", N_("Investment agreement")),
)

INVESTOR = Step(
    "investors",
    N_("Investors"),
    (
        Field(
            "name", N_("Investor's name"), "name", missing=N_("Enter the investor's name"),
            hint=N_("In the original language; in Chinese where a Chinese name is registered"),
        ),
        Field(
            "kind", N_("Kind of investor"), "kind", "radios", N_("Choose the kind of investor"), options=INVESTOR_KINDS
        ),
        Field(
            "country", N_("Country or region"), "country", "select",
            N_("Choose the investor's country or region"), options="country",
        ),
        Field(
            "share", N_("Contribution ratio"), "share", "share", N_("Enter the contribution ratio"),
            N_("Share of the registered capital in percent. All shares together are exactly 100."), width="5",
        ),
        Field(
            "signer", N_("Account that signs for this investor"), "signer",
            hint=N_("Optional. Without one you declare to hold the form with this investor's signature."),
        ),
        Field("is_fie", N_("It is an enterprise in China that itself has foreign investors"), "is_fie", "yes"),
        Field("settled_abroad", N_("A Chinese citizen who has settled abroad"), "settled_abroad", "yes"),
    ),
    N_("Give the details as they stand on the identity document."),
)  # fmt: skip
ACTIVITIES = Step(
    "activities", N_("Activities"), (), N_("Add each activity by its class in GB/T 4754. The first is the main one.")
)
PERMITS = Step(
    "permits", N_("Permits"), (), N_("Answer these, so that we can tell which permits and filings you need.")
)
STEPS: Mapping[str, Step] = {
    step.key: step
    for step in (
        Step(
            "name",
            N_("Name and type"),
            (
                Field("division", N_("Administrative division"), "enterprise_name.division",
                      missing=N_("Enter the administrative division"), hint=N_("Such as 上海"), width="10"),
                Field("trade_name", N_("Trade name"), "enterprise_name.trade_name",
                      missing=N_("Enter the trade name"), hint=N_("Two Chinese characters or more"), width="10"),
                Field("industry", N_("Industry words"), "enterprise_name.industry",
                      missing=N_("Enter the industry words"), hint=N_("Such as 餐饮 or 商务咨询"), width="10"),
                Field("form", N_("Form of organisation"), "enterprise_name.form", "select",
                      N_("Choose the form of organisation"), options=NAME_FORMS),
                Field("enterprise_type", N_("Enterprise type"), "enterprise_type", "radios",
                      N_("Choose the enterprise type"), options=TYPES),
            ),
        ),
        Step(
            "place",
            N_("Place and term"),
            (
                Field("area", N_("Subdistrict or town of the domicile"), "area", "select",
                      N_("Choose the subdistrict or town"), options="area"),
                Field("starts", N_("Start of the term"), "term.starts", "date",
                      hint=N_("Optional; such as 2026-02-01"), width="10"),
                Field("ends", N_("End of the term"), "term.ends", "date",
                      hint=N_("Optional; empty means without end"), width="10"),
            ),
        ),
        ACTIVITIES,
        Step(
            "capital",
            N_("Capital"),
            (
                Field("registered_capital", N_("Registered capital"), "registered_capital", "amount",
                      N_("Enter the registered capital"), hint=N_("In full units, such as 5,000,000"), width="20"),
                Field("capital_currency", N_("Currency"), "capital_currency", "select",
                      N_("Choose the currency"), options="currency"),
            ),
        ),
        INVESTOR,
        Step(
            "people",
            N_("Legal representative"),
            (
                Field("name", N_("Name of the legal representative"), "legal_representative.name",
                      missing=N_("Enter the legal representative's name")),
                Field("nationality", N_("Nationality"), "legal_representative.nationality", "select",
                      N_("Choose the legal representative's nationality"), options="country"),
                Field("signer", N_("Account that signs for the legal representative"), "legal_representative.signer",
                      hint=N_("Optional. Without one you declare to hold the form with this signature.")),
                Field("treaty_claim", N_("Better treatment claimed under an agreement"), "treaty_claim", "select",
                      options=TREATIES),
            ),
        ),
        PERMITS,
    )
}  # fmt: skip

NAME_CHECK = Step(
    "name",
    STEPS["name"].title,
    (
        *STEPS["name"].fields,
        Field("activity", N_("Main activity"), "activity", missing=N_("Enter the class of the main activity"),
              hint=N_("The class in GB/T 4754, four digits, such as 6210"), width="5"),
        Field("foreign_share", N_("Foreign share of the capital"), "foreign_share", "share",
              hint=N_("Optional"), width="5"),
    ),
)  # fmt: skip
"""What a name is looked up by."""
_NUMBER = re.compile(r"(0|[1-9][0-9]{0,14})(\.[0-9]{1,4})?")
_DAY = re.compile(r"([0-9]{4})[-/.年]([0-9]{1,2})[-/.月]([0-9]{1,2})日?")
_UNPRINTABLE = re.compile("[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069\ufeff]")


def plain(typed: str) -> str:
    """Full-width digits and signs as half-width ones, without the spaces and commas that people put into numbers."""
    return re.sub(r"[\s,]", "", unicodedata.normalize("NFKC", typed))


def read(step: Step, typed: Typed) -> tuple[dict[str, Any], list[Fault]]:
    """The answers of one step by their paths, and its faults in the order of the page."""
    answers: dict[str, Any] = {}
    faults: list[Fault] = []
    for field in step.fields:
        text = str(typed.get(field.name) or "").strip()
        if not text:
            if field.missing:
                faults.append(Fault(field.name, field.missing))
            continue
        value, wrong = _READERS.get(field.kind, _text)(field, text)
        if wrong:
            faults.append(Fault(field.name, wrong))
        else:
            answers[field.path] = value
    return answers, faults


def _text(_: Field, typed: str) -> tuple[Any, str]:
    if len(typed) > MAX_TEXT:
        return None, N_("Enter at most 200 characters")
    return typed, N_("Enter letters, digits and signs only") if _UNPRINTABLE.search(typed) else ""


def _amount(_: Field, typed: str) -> tuple[Any, str]:
    number = plain(typed)
    if not _NUMBER.fullmatch(number) or Decimal(number) <= 0:
        return None, N_("Enter the amount as a number, such as 5000000")
    if len(number.partition(".")[2]) > 2:
        return None, N_("Enter the amount with two decimals at most")
    return number, ""


def _share(_: Field, typed: str) -> tuple[Any, str]:
    number = plain(typed).rstrip("%")
    if not _NUMBER.fullmatch(number):
        return None, N_("Enter the contribution ratio as a number, such as 35 or 33.33")
    return number, "" if 0 < Decimal(number) <= 100 else N_("The contribution ratio is more than 0 and at most 100")


WRONG_DAY = N_("Enter the date as year, month and day, such as 2026-02-01")


def read_day(typed: str) -> str | None:
    """A day as people write it, as its ISO text; None for what is none."""
    found = _DAY.fullmatch(plain(typed))
    try:
        return date(*map(int, found.groups())).isoformat() if found else None
    except ValueError:
        return None


def _date(_: Field, typed: str) -> tuple[Any, str]:
    day = read_day(typed)
    return day, "" if day else WRONG_DAY


def _choice(field: Field, typed: str) -> tuple[Any, str]:
    return typed, "" if typed in field.choices() else field.missing or N_("Choose one of the list")


def _yes(_: Field, typed: str) -> tuple[Any, str]:
    return typed == "yes", ""


_READERS = {"amount": _amount, "share": _share, "date": _date, "select": _choice, "radios": _choice, "yes": _yes}


def typed_in(content: Mapping[str, Any], key: str) -> Typed:
    """What a draft holds of one step."""
    found = content.get(key)
    return found if isinstance(found, dict) else {}


def listed_in(content: Mapping[str, Any], key: str) -> list[Any]:
    """What a draft holds of a step that is a list: activities or investors."""
    found = content.get(key)
    return list(found) if isinstance(found, list) else []


def faults_of(content: Mapping[str, Any], key: str) -> list[Fault]:
    """What a step still lacks; a complete one lacks nothing."""
    if key == "activities":
        return [] if listed_in(content, key) else [Fault("q", N_("Add one activity at least"))]
    if key == "investors":
        return investor_faults(listed_in(content, key))
    if key == "permits":
        done = "permits" in content and not faults_of(content, "activities")
        return [] if done else [Fault("permits", N_("Answer the questions on permits"))]
    return read(STEPS[key], typed_in(content, key))[1]


def investor_faults(investors: Sequence[Typed]) -> list[Fault]:
    """What the list of investors lacks as a whole: one at least, each complete, shares of exactly 100 together."""
    if not investors:
        return [Fault("investors", N_("Add one investor at least"))]
    found = [read(INVESTOR, investor) for investor in investors]
    for _, faults in found:
        if faults:
            return [Fault("investors", N_("Complete each investor"))]
    if sum(Decimal(answers["share"]) for answers, _ in found) != 100:
        return [Fault("investors", N_("Together the contribution ratios are exactly 100%"))]
    return []


def begun(content: Mapping[str, Any], key: str) -> bool:
    return bool(content.get(key))


def ready(content: Mapping[str, Any]) -> bool:
    """Whether everything is there to check and sign."""
    return not any(faults_of(content, key) for key in STEPS)


def application_of(content: Mapping[str, Any]) -> dict[str, Any]:
    """The application that a complete draft makes, as registration takes it."""
    body: dict[str, Any] = {}
    for key in ("name", "place", "capital", "people"):
        for path, value in read(STEPS[key], typed_in(content, key))[0].items():
            _put(body, path, value)
    body["activities"] = listed_in(content, "activities")
    body["investors"] = [read(INVESTOR, investor)[0] for investor in listed_in(content, "investors")]
    facts = {code: answer == "yes" for code, answer in typed_in(content, "permits").items() if answer in ("yes", "no")}
    if facts:
        body["permit_facts"] = facts
    if body.get("term") and "starts" not in body["term"]:
        del body["term"]
    return body


def content_of(application: Mapping[str, Any]) -> dict[str, Any]:
    """The other way round: an application that was sent, as a draft shows it."""
    content: dict[str, Any] = {
        key: {field.name: _got(application, field.path) for field in STEPS[key].fields}
        for key in ("name", "place", "capital", "people")
    }
    content["activities"] = list(application.get("activities") or [])
    content["investors"] = [
        {field.name: _shown(investor.get(field.path)) for field in INVESTOR.fields}
        for investor in application.get("investors") or []
    ]
    facts = application.get("permit_facts") or {}
    content["permits"] = {code: "yes" if value else "no" for code, value in facts.items()}
    return content


def step_of(path: str) -> tuple[str, str]:
    """The step, and the field on its page, that a path of the application belongs to."""
    head, _, rest = path.partition(".")
    if head == "investors":
        number, _, name = rest.partition(".")
        return (f"investors/{int(number) + 1}", name) if number.isdigit() else ("investors", "investors")
    if head == "activities":
        return "activities", "q"
    if head == "permit_facts":
        return "permits", "permits"
    for key in ("name", "place", "capital", "people"):
        for field in STEPS[key].fields:
            if field.path == path or field.path.partition(".")[0] == path:
                return key, field.name
    return "check", "main-content"


def label_of(path: str) -> str:
    """The label of the field that a path of the application names, in words of the catalogue."""
    step, name = step_of(path)
    found = INVESTOR if step.startswith("investors/") else STEPS.get(step)
    if found is None:
        return path
    return next((field.label for field in found.fields if field.name == name), found.title)


def asked_of(content: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    """What an officer asks to correct in one step."""
    fields = (content.get("corrects") or {}).get("fields") or []
    return [asked for asked in fields if step_of(asked["field"])[0].partition("/")[0] == key]


def _put(body: dict[str, Any], path: str, value: Any) -> None:
    *folders, name = path.split(".")
    for folder in folders:
        body = body.setdefault(folder, {})
    body[name] = value


def _got(body: Mapping[str, Any], path: str) -> str:
    found: Any = body
    for part in path.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return _shown(found)


def _shown(value: Any) -> str:
    return "yes" if value is True else "" if value in (None, False) else str(value)
