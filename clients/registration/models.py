"""What is sent and what is answered. Fields that an answer has beside these are left alone."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec


class Sent(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Something that is sent: what is not given is left out."""


class Read(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is answered."""


class EnterpriseName(Sent, frozen=True, kw_only=True):
    division: str
    trade_name: str
    industry: str
    form: str


class Investor(Sent, frozen=True, kw_only=True):
    """`share` in percent; `signer`: the account that signs, where it is not declared."""

    name: str
    kind: str
    country: str
    share: Decimal
    is_fie: bool = False
    settled_abroad: bool = False
    affiliate_group: str | None = None
    signer: str | None = None


class LegalRepresentative(Sent, frozen=True, kw_only=True):
    name: str
    nationality: str
    signer: str | None = None


class Term(Sent, frozen=True, kw_only=True):
    starts: date
    ends: date | None = None


class ApplicationForm(Sent, frozen=True, kw_only=True):
    """The single form; the main activity first, shares of exactly 100 together."""

    enterprise_name: EnterpriseName
    enterprise_type: str
    registered_capital: Decimal
    capital_currency: str
    activities: list[str]
    area: str
    investors: list[Investor]
    legal_representative: LegalRepresentative
    term: Term | None = None
    treaty_claim: str | None = None
    permit_facts: dict[str, bool] = {}
    draft_id: UUID | None = None
    address: str | None = None


class EnterpriseChange(Sent, frozen=True, kw_only=True):
    """Only what changes; capital and currency together."""

    area: str | None = None
    registered_capital: Decimal | None = None
    capital_currency: str | None = None
    activities: list[str] | None = None
    legal_representative_nationality: str | None = None
    enterprise_name: EnterpriseName | None = None


class Fault(Read, frozen=True, kw_only=True):
    """One thing to mend."""

    field: str
    code: str
    detail: str


class Problem(Read, frozen=True, kw_only=True):
    """A refusal (RFC 9457)."""

    type: str
    status: int
    detail: str
    errors: list[Fault] = []

    @property
    def name(self) -> str:
        """The stable part of its type, such as `form-returned`."""
        return self.type.rpartition(":")[2]


class Finding(Read, frozen=True, kw_only=True):
    """A ground of a decision."""

    outcome: str
    activity: str | None
    item_no: int | None
    summary: str | None
    source: str | None
    sentences: list[str]


class Decision(Read, frozen=True, kw_only=True):
    outcome: str
    judged_for: date
    policy_digest: str
    findings: list[Finding]


class Judged(Read, frozen=True, kw_only=True):
    """What became of a form or a change."""

    id: UUID
    uscc: str | None
    decision: Decision
    version: int
    status: str | None = None


class Line(Read, frozen=True, kw_only=True):
    """What became of one form of many: `judged`, or the `problem` with it."""

    key: str
    status: int
    replayed: bool
    judged: Judged | None = None
    problem: Problem | None = None


class ApplicationItem(Read, frozen=True, kw_only=True):
    id: UUID
    status: str
    uscc: str | None
    version: int
    enterprise_name: str
    submitted_at: datetime


class Application(ApplicationItem, frozen=True, kw_only=True):
    decision: Decision
    decide_by: date | None
    correct_by: date | None


class EnterpriseItem(Read, frozen=True, kw_only=True):
    uscc: str
    name: str
    registered_on: date
    deregistered_on: date | None
    area: str
    version: int


class Enterprise(EnterpriseItem, frozen=True, kw_only=True):
    status: str
    enterprise_type: str
    registered_capital: Decimal
    capital_currency: str
    activities: list[str]


class Licence(Read, frozen=True, kw_only=True):
    """The signed licence: `jws` is what `python -m verify` checks offline."""

    uscc: str
    in_force: bool
    document: dict[str, Any]
    jws: str


class Change(Read, frozen=True, kw_only=True):
    """An event of the feed."""

    id: UUID
    type: str
    time: datetime
    subject: str
    sequence: int
    case: str
    data: dict[str, Any]


class Changes(Read, frozen=True, kw_only=True):
    """A page of the feed; keep `next`."""

    items: list[Change]
    next: str
    more: bool
