"""The law that registration applies, as frozen tables: one class per file, one field per column."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import groupby
from typing import Literal

from services.registration.domain.hand_over import FollowOn
from services.registration.domain.legacy import Former
from services.registration.domain.signing import Role, SigningRule

Scope = Literal["national", "ftz"]
Confidence = Literal["verified", "memory", "doubtful"]
Coverage = Literal["full", "partial"]
Measure = Literal[
    "prohibited",
    "chinese_controlled",
    "chinese_relative_control",
    "equity_cap",
    "single_foreign_cap",
    "joint_venture_only",
    "cooperation_only",
    "cooperative_education",
    "legal_rep_chinese",
    "chinese_led",
    "head_of_school_chinese",
    "joint_venture_count_cap",
    "wto_commitment_scope",
    "excepted",
]
Alternatives = Literal["none", "choice", "activity"]
DeadlineName = Literal[
    "decision", "decision_extended", "simplified_notice", "corrections", "draft", "draft_grace", "name_reserved",
    "name_reserved_for_approval", "name_left", "countersignature", "signatures",
    "change_report", "report_order", "false_registration_notice",
]  # fmt: skip
NameKind = Literal[
    "state_dignity", "public_order", "party_state_body", "foreign_state", "obscene_violent", "discrimination",
    "public_morals", "misleading", "otherwise_forbidden", "state_approval", "sector_qualifier",
]  # fmt: skip
"""The nine kinds of Art 11 of the Name Regulations in their order; then the two of Art 12."""

DISTRICT = "310106"  # Jing'an: a district's window registers in its own district


@dataclass(frozen=True, slots=True)
class Edition:
    """One negative list: its scope, instrument and days in force. `access_permit_to`: last day of commerce approval."""

    edition: str
    scope: Scope
    instrument: str
    item_count: int
    effective_from: date
    effective_to: date | None
    access_permit_to: date | None
    note: str
    source: str
    confidence: Confidence


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of a negative list: the measures that one item puts on some classes of GB/T 4754. Percents are exact."""

    edition: str
    scope: Scope
    order_no: str
    effective_from: date
    effective_to: date | None
    effective_to_basis: str
    item_no: int
    item_key: str
    part: int
    section: str
    sector: str
    gbt4754_codes: tuple[str, ...]
    coverage: Coverage
    measure: tuple[Measure, ...]
    alternative_group: str
    cap: str
    foreign_cap_pct: Decimal | None
    single_foreign_cap_pct: Decimal | None
    chinese_min_pct: Decimal | None
    legal_rep_rule: str
    text_summary: str
    text_zh: str
    phase_out: str
    source: str
    evidence: str
    confidence: Confidence
    note: str

    def in_force(self, on: date) -> bool:
        return self.effective_from <= on and (self.effective_to is None or on <= self.effective_to)


@dataclass(frozen=True, slots=True)
class Pilot:
    """A local opening: turns a refusal under the named items into a review where its place, class and date fit."""

    pilot_id: str
    pilot: str
    item_key: tuple[str, ...]
    scope: tuple[Scope, ...]
    gbt4754_codes: tuple[str, ...]
    place_prefixes: tuple[str, ...]
    places: str
    outcome: Literal["review"]
    operator_approval: bool | None
    excluded: str
    effect: str
    instrument: str
    announced: date
    effective_from: date
    effective_to: date | None
    source: str
    confidence: Confidence
    date_confidence: Confidence
    note: str


@dataclass(frozen=True, slots=True)
class TreatyPreference:
    """Better terms for investors of one origin; `none` says that there are none."""

    pref_id: str
    investor_origin: tuple[str, ...]
    investor_kind: Literal["any", "individual", "enterprise"]
    subject: Literal["list_item", "individual_business", "status"]
    item_key: tuple[str, ...]
    gbt4754_codes: tuple[str, ...]
    place_prefixes: tuple[str, ...]
    outcome: Literal["review", "none"]
    chinese_min_pct: Decimal | None
    condition: str
    rule: str
    instrument: str
    effective_from: date | None
    effective_to: date | None
    source: str
    confidence: Confidence
    note: str


@dataclass(frozen=True, slots=True)
class ControlDefinition:
    """What "the Chinese parties control" (中方控股) means in percent. Definitions differ, and say so."""

    definition: Literal["general", "civil_aviation"]
    gbt4754_prefixes: tuple[str, ...]
    chinese_min_pct: Decimal
    inclusive: bool
    instrument: str
    source: str
    confidence: Confidence
    note: str

    def satisfied_by(self, chinese_pct: Decimal) -> bool:
        return chinese_pct >= self.chinese_min_pct if self.inclusive else chinese_pct > self.chinese_min_pct


@dataclass(frozen=True, slots=True)
class Industry:
    """One entry of GB/T 4754-2017: section (level 1), division (2), group (3) or class (4)."""

    code: str
    code_with_section: str
    section: str
    level: int
    parent_code: str
    name_zh: str
    name_en: str
    source: str
    confidence: Confidence


@dataclass(frozen=True, slots=True)
class Area:
    """A division of Shanghai: province, district or street."""

    code: str
    level: Literal["province", "district", "street"]
    parent_code: str
    name_zh: str
    name_en: str
    source: str
    confidence: Confidence


@dataclass(frozen=True, slots=True)
class UsccAuthority:
    """One pair of first characters that GB 32100 gives out: registration authority and category."""

    authority_code: str
    authority_zh: str
    authority: str
    category_code: str
    category: str
    source: str
    confidence: Confidence


@dataclass(frozen=True, slots=True)
class Code:
    """One code of a plain code list (ISO 3166-1 alpha-2, ISO 4217)."""

    code: str
    name_en: str
    source: str
    confidence: Confidence


@dataclass(frozen=True, slots=True)
class PermitCondition:
    """A fact beside the industry code that a permit may depend on, with the question that asks for it.

    `excludes` names facts that cannot hold with this one; where the choice is `exhaustive`, one of them must.
    """

    condition: str
    question: str
    question_zh: str
    excludes: tuple[str, ...]
    exhaustive: bool | None
    answered_by: Literal["applicant", "investors"]


@dataclass(frozen=True, slots=True)
class Deadline:
    """How many days somebody has, or months where `counted` says so. `basis`: a rule of law, or the district's own
    setting where none was found."""

    deadline: DeadlineName
    days: int
    counted: Literal["working", "calendar", "month"]
    basis: Literal["law", "district"]
    source: str
    confidence: Literal["verified", "memory", "doubtful", "own_setting"]
    note: str


@dataclass(frozen=True, slots=True)
class FourEyes:
    """Above this capital a second officer countersigns a registration that an officer decides on."""

    currency: str
    above: Decimal
    source: str
    confidence: Literal["own_setting"]


@dataclass(frozen=True, slots=True)
class NameWord:
    """A word that a name may not hold. `match`: anywhere, as the whole trade name, at the start, or inside."""

    word: str
    kind: NameKind
    match: Literal["anywhere", "trade_name", "start", "inside"]
    outcome: Literal["refuse", "review"]
    source: str
    confidence: Literal["verified", "memory", "doubtful", "own_setting"]
    note: str


@dataclass(frozen=True, slots=True)
class NameForm:
    """How the name of an enterprise of one type has to end."""

    enterprise_type: str
    endings: tuple[str, ...]
    source: str
    confidence: Confidence


@dataclass(frozen=True, slots=True)
class Syllable:
    """Characters that are read alike, tones aside, each by its first reading."""

    syllable: str
    characters: str
    source: str
    confidence: Confidence


@dataclass(frozen=True, slots=True)
class Clause:
    """What an item asks of one class: a single row, or rows of which the applicant or the actual activity takes one."""

    alternatives: Alternatives
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class NegativeList:
    """One edition with its clauses by class code. An edition without clauses is known only as a whole."""

    edition: Edition
    clauses: Mapping[str, tuple[Clause, ...]]

    def in_force(self, on: date) -> bool:
        edition = self.edition
        return edition.effective_from <= on and (edition.effective_to is None or on <= edition.effective_to)


@dataclass(frozen=True, slots=True)
class Policy:
    """Everything registration decides by, and the digest of the files it came from."""

    digest: str
    negative_lists: Mapping[Scope, tuple[NegativeList, ...]]
    pilots: tuple[Pilot, ...]
    treaty_preferences: tuple[TreatyPreference, ...]
    control_definitions: tuple[ControlDefinition, ...]
    industries: Mapping[str, Industry]
    areas: Mapping[str, Area]
    countries: frozenset[str]
    currencies: frozenset[str]
    uscc_authorities: frozenset[str]
    permit_conditions: Mapping[str, PermitCondition]
    deadlines: Mapping[DeadlineName, Deadline]
    four_eyes: Mapping[str, Decimal]
    name_words: tuple[NameWord, ...]
    name_forms: Mapping[str, NameForm]
    pinyin: Mapping[str, str]
    industry_words: frozenset[str]
    legacy_forms: Mapping[str, Former]
    follow_on_matters: Mapping[str, FollowOn]
    signing_rules: Mapping[Role, SigningRule]

    def days(self, deadline: DeadlineName) -> int:
        return self.deadlines[deadline].days

    def needs_second_officer(self, capital: Decimal, currency: str) -> bool:
        """Above the amount that is set for the currency; always in one for which none is set."""
        return capital > self.four_eyes.get(currency, Decimal(0))

    @property
    def permit_questions(self) -> frozenset[str]:
        """The facts that applicants are asked for; those about capital follow from the investors."""
        return frozenset(row.condition for row in self.permit_conditions.values() if row.answered_by == "applicant")


def negative_lists(editions: Iterable[Edition], entries: Iterable[Entry]) -> dict[Scope, tuple[NegativeList, ...]]:
    """Join each edition with its rows, indexed once by class code; the newest edition first."""
    by_edition: dict[tuple[str, Scope], list[Entry]] = {}
    for entry in entries:
        by_edition.setdefault((entry.edition, entry.scope), []).append(entry)
    lists: dict[Scope, list[NegativeList]] = {"national": [], "ftz": []}
    for edition in sorted(editions, key=lambda edition: edition.effective_from, reverse=True):
        rows = by_edition.get((edition.edition, edition.scope), [])
        lists[edition.scope].append(NegativeList(edition, _clauses(rows)))
    return {scope: tuple(found) for scope, found in lists.items()}


def _clauses(entries: Iterable[Entry]) -> dict[str, tuple[Clause, ...]]:
    by_code: dict[str, list[Entry]] = {}
    for entry in entries:
        for code in entry.gbt4754_codes:
            by_code.setdefault(code, []).append(entry)
    return {code: tuple(_grouped(rows)) for code, rows in by_code.items()}


def _grouped(entries: list[Entry]) -> Iterable[Clause]:
    """Rows of one item with one alternative group form a clause; every other row is a clause of its own."""
    entries = sorted(entries, key=_alternative_key)
    for (_, group, _), rows in groupby(entries, key=_alternative_key):
        kind: Alternatives = "choice" if group.startswith("choice") else "activity" if group else "none"
        yield Clause(kind, tuple(rows))


def _alternative_key(entry: Entry) -> tuple[int, str, int]:
    return entry.item_no, entry.alternative_group, 0 if entry.alternative_group else entry.part
