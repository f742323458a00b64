"""The catalogue of permits and filings: what the rows say, with their source and how sure they are."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Literal

Status = Literal["permit", "filing", "cancelled"]
Reform = Literal["direct_cancellation", "approval_to_filing", "notification_commitment", "optimised_access", "none"]
Mode = Reform | Literal["unknown"]
Capital = Literal["domestic", "hk_mo_tw", "foreign"]
Confidence = Literal["verified", "memory", "doubtful"]
SettingName = Literal["notification_claim_days", "commitment_check_days", "ordinary_days"]
BarName = Literal["credit_restriction", "commitment_unrepaired"]

DISTRICT = "district"


@dataclass(frozen=True, slots=True)
class PermitItem:
    """A row of permit_items.csv. It applies from `valid_from` to `valid_to`, both days included; an empty date is open
    or unknown, which `dates_confidence` tells. `condition`: facts of which any one is enough."""

    item_id: str
    part: int
    item_zh: str
    item: str
    department_zh: str
    department: str
    level: str
    status: Status
    mode: Reform | None
    trigger_gbt4754_codes: tuple[str, ...]
    condition: tuple[str, ...]
    valid_from: date | None
    valid_to: date | None
    dates_confidence: Literal["verified", "memory", "doubtful", "unknown"]
    statutory_days: int
    day_type: Literal["working", "calendar", "on the spot", ""]
    days_basis: str
    basis: str
    source: str
    confidence: Confidence
    mode_confidence: Confidence
    jingan_item_code: str
    note: str

    @property
    def reform_mode(self) -> Mode:
        """`unknown` where the row names none."""
        return self.mode or "unknown"

    @property
    def department_code(self) -> str:
        """`market regulation` -> `market_regulation`."""
        return self.department.replace(" ", "_")

    @property
    def decided_in_district(self) -> bool:
        return DISTRICT in self.level.split("/")

    @property
    def department_is_clear(self) -> bool:
        """A verified row means that its authority was seen in the law."""
        return self.confidence == "verified"

    @property
    def offers_commitment(self) -> bool:
        """Granted at once on a commitment: only where both the mode and the row were verified; otherwise a person
        decides."""
        return self.mode == "notification_commitment" and self.mode_confidence == self.confidence == "verified"

    def in_force(self, on: date) -> bool:
        return (self.valid_from or date.min) <= on <= (self.valid_to or date.max)

    def triggered_by(self, activity: str) -> str | None:
        """The trigger that an activity matches: a division, a group or the class itself."""
        return next((prefix for prefix in self.trigger_gbt4754_codes if activity.startswith(prefix)), None)


@dataclass(frozen=True, slots=True)
class Condition:
    """A fact beside the code that an item depends on, and the question that settles it. True, it rules out what it
    `excludes`; with `exhaustive`, false makes the excluded one true."""

    condition: str
    question: str
    question_zh: str
    excludes: tuple[str, ...]
    exhaustive: Literal["yes", ""]
    answered_by: Literal["applicant", "investors"]


@dataclass(frozen=True, slots=True)
class Setting:
    """A number of days; `own_setting` where the district has set it itself."""

    setting: SettingName
    value: int
    unit: Literal["working_days"]
    zh: str
    en: str
    source: str
    confidence: Literal["verified", "own_setting"]


@dataclass(frozen=True, slots=True)
class OrdinaryTerm:
    """How long the ordinary way takes for an item whose row states only the time on commitment."""

    item_id: str
    part: int
    working_days: int
    basis: str
    source: str
    confidence: Confidence


@dataclass(frozen=True, slots=True)
class StartException:
    """Permits must be held before the start and filings need not be there: the items for which it is otherwise."""

    item_id: str
    blocks: bool
    why: str
    source: str
    confidence: Literal["verified", "own_setting"]


@dataclass(frozen=True, slots=True)
class Bar:
    """A rule that shuts the commitment mode. `credit_grounds`: the grounds under which credit keeps a breach of a
    commitment, and repairs it."""

    bar: BarName
    credit_grounds: tuple[str, ...]
    zh: str
    en: str
    source: str
    confidence: Confidence


@dataclass(frozen=True, slots=True)
class DualCode:
    """A code of double notification (双告知), as a system in use has it."""

    code_set: str
    code: int
    meaning: str
    meaning_zh: str
    source: str
    confidence: Confidence


@dataclass(frozen=True, slots=True)
class Round:
    """A round of the reform and how many items it counts by mode."""

    round: str
    instrument: str
    scope: str
    effective_from: date
    total: int | None
    direct_cancellation: int | None
    approval_to_filing: int
    notification_commitment: int
    optimised_access: int | None
    other: int
    note: str
    source: str
    confidence: Confidence


@dataclass(frozen=True)
class Catalogue:
    """The law that licensing goes by; `digest` is that of its files."""

    digest: str
    items: tuple[PermitItem, ...]
    conditions: Mapping[str, Condition]
    settings: Mapping[SettingName, Setting]
    ordinary_terms: Mapping[tuple[str, int], OrdinaryTerm]
    start_exceptions: Mapping[str, StartException]
    bars: Mapping[BarName, Bar]
    dual_codes: tuple[DualCode, ...]
    rounds: tuple[Round, ...] = field(default=())

    @cached_property
    def departments(self) -> frozenset[str]:
        return frozenset(row.department_code for row in self.items)

    @cached_property
    def item_ids(self) -> frozenset[str]:
        return frozenset(row.item_id for row in self.items)

    def days(self, setting: SettingName) -> int:
        return self.settings[setting].value

    def blocks_start(self, row: PermitItem) -> bool:
        """Whether the business waits for this item. A cancelled item never blocks; a filing only where prior filing is
        expressly required."""
        if row.status == "cancelled":
            return False
        exception = self.start_exceptions.get(row.item_id)
        return exception.blocks if exception else row.status == "permit"

    def covered(self, item_id: str, activities: tuple[str, ...], on: date) -> tuple[str, ...]:
        """The activities that call for the item on this day; none for an item that a fact alone calls for."""
        rows = [row for row in self.items if row.item_id == item_id and row.in_force(on)]
        return tuple(code for code in activities if any(row.triggered_by(code) for row in rows))
