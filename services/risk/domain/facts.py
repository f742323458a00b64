"""What events state about an enterprise: facts, which of them hold, and the table that reads them from events."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import NamedTuple
from uuid import UUID

ERASURE = "erasure"  # the indicator of a tombstone
EARLIEST, LATEST = date(1900, 1, 1), date(2199, 12, 31)
UNDATED = datetime(1970, 1, 1, tzinfo=UTC)


class UnreadableFact(ValueError):
    """An event lacks what its fact needs; the message names the event type and the field, never the value."""


class Fact(NamedTuple):
    """One thing an event says of one enterprise. Key: (source, subject, sequence, n).

    `value` is in the indicator's own unit (yuan, a GB/T 4754 class, 1 for "it happened"); None: not comparable, as
    capital in a foreign currency is, because no rate is invented. `record_id` is what later facts replace.
    `stated_at` is the event's `time`: what was known at T are the facts stated until T.
    """

    source: str
    subject: str
    sequence: int
    n: int
    indicator: str
    legal_date: date
    value: int | None
    record_id: str
    event_id: UUID
    stated_at: datetime = UNDATED

    @property
    def key(self) -> tuple[str, str, int, int]:
        return self.source, self.subject, self.sequence, self.n


def live_facts(facts: Iterable[Fact]) -> tuple[Fact, ...]:
    """The facts that hold, sorted by key: a function of the *set*, so neither order nor repetition matters.

    A record belongs to one source and subject and is what its greatest sequence says (every fact of that event).
    An erasure, whoever sent it and whenever it came, removes its record for good.
    """
    given = set(facts)
    erased = {fact.record_id for fact in given if fact.indicator == ERASURE}
    stated = [fact for fact in given if fact.indicator != ERASURE and fact.record_id not in erased]
    newest: dict[tuple[str, str, str], int] = {}
    for fact in stated:
        record = fact.source, fact.subject, fact.record_id
        newest[record] = max(fact.sequence, newest.get(record, fact.sequence))
    kept = [fact for fact in stated if fact.sequence == newest[fact.source, fact.subject, fact.record_id]]
    return tuple(sorted(kept, key=lambda fact: fact.key))


REGISTRATION = "newly_registered"
INDUSTRY = "industry_risk"
AREA = "area"
"""Where an enterprise is: it is searched and counted by it, and no rule rates it by it."""


def is_registered(facts: Iterable[Fact]) -> bool:
    """Only what is in the register is scored. What others say of an unknown identifier waits until it is."""
    return any(fact.indicator == REGISTRATION for fact in facts)


Data = Mapping[str, object]  # a decoded event: dates as `date`, decimals as Decimal or text, codes as text


def once(_: Data) -> int:
    """It happened; the scorecard counts or dates it."""
    return 1


def ended(_: Data) -> int:
    """It stands no more: a delisting, or a repair that was granted."""
    return 0


def flag(name: str) -> Callable[[Data], int]:
    """A yes or no as 1 or 0."""

    def read(data: Data) -> int:
        if not isinstance(data.get(name), bool):
            raise UnreadableFact(f"{name}: neither true nor false")
        return int(data[name] is True)

    return read


def whole_yuan(amount: str, currency: str) -> Callable[[Data], int | None]:
    """Yuan without the fen (rounded down); None in any other currency, and where the event names none."""

    def read(data: Data) -> int | None:
        yuan = _whole(data, amount)
        return yuan if data.get(currency) == "CNY" else None

    return read


def basis_points(percent: str) -> Callable[[Data], int]:
    """A percentage as hundredths of a percent, rounded down: "33.3333" is 3333."""
    return lambda data: _whole(data, percent, scale=100)


def coded(name: str, codes: Mapping[str, int]) -> Callable[[Data], int | None]:
    """A code as the number that scorecards know it by; None for one that they do not know, or where none is given."""
    return lambda data: codes.get(str(data.get(name)))


def number(name: str) -> Callable[[Data], int]:
    """A whole number that is not negative."""

    def read(data: Data) -> int:
        given = data.get(name)
        if type(given) is not int or not 0 <= given <= 10**15:
            raise UnreadableFact(f"{name}: not a whole number between 0 and 10^15")
        return given

    return read


def industry_class(data: Data) -> int:
    """The four digits of a GB/T 4754-2017 class as a number, so that a division is a range: 66 is 6600 to 6699."""
    code = data.get("industry")
    if not isinstance(code, str) or len(code) != 4 or not (code.isascii() and code.isdigit()):
        raise UnreadableFact("industry: a GB/T 4754 class has four digits")
    return int(code)


def area_code(data: Data) -> int | None:
    """The nine digits of a street or town as a number; None for anything coarser."""
    code = data.get("area")
    is_street = isinstance(code, str) and len(code) == 9 and code.isascii() and code.isdigit()
    return int(str(code)) if is_street else None


def _whole(data: Data, name: str, scale: int = 1) -> int:
    given = data.get(name)
    try:
        number = given if isinstance(given, Decimal) else Decimal(str(given))
    except InvalidOperation:
        raise UnreadableFact(f"{name}: not a decimal number") from None
    # Judged by its exponent before int() so that "1e999999999" costs nothing; 10^15 yuan times any scale fits int64.
    if not number.is_finite() or number < 0 or number.adjusted() > 15:
        raise UnreadableFact(f"{name}: not between 0 and 10^16")
    return int(number * scale)


@dataclass(frozen=True, slots=True)
class FactRow:
    """How one event type states one indicator. `record` may name {subject}, {event_id} or a field of the event;
    each pair (field, code) of `when` holds if the field is that code or a list with it, and all must hold.
    `ERASURE` as indicator makes a tombstone.
    """

    event_type: str
    indicator: str
    record: str
    legal_date: str
    value: Callable[[Data], int | None] = once
    when: tuple[tuple[str, object], ...] = ()


ENTITY_TYPES = {
    "limited_company": 1,
    "joint_stock_company": 2,
    "partnership": 3,
    "sole_proprietorship": 4,
    "individual_business": 5,
    "farmers_cooperative": 6,
}
RELATED = ("related_serious_list", "legal_representative_risk", "actual_controller_risk", "shared_address_density")
"""Indicators that risk itself states of an enterprise, from what it knows of others."""

REGISTERED, CHANGED = "registration.enterprise_registered.v1", "registration.enterprise_changed.v1"
NOTICED, DEREGISTERED = "registration.deregistration_requested.v1", "registration.enterprise_deregistered.v1"
NOTICE_ENDED = "registration.deregistration_refused.v1"
WITHDRAWN, TAKEN_OVER = "registration.registration_withdrawn.v1", "registration.enterprise_taken_over.v1"
GRANTED, SIGNALLED = "licensing.permit_granted.v1", "risk.related_party_signalled.v1"
CORRECTION_MET, CORRECTION_OVERDUE = "supervision.correction_met.v1", "supervision.correction_overdue.v1"
REVOKED, INSPECTED = "licensing.permit_revoked.v1", "supervision.inspection_completed.v1"
ACCEPTED, ERASED = "credit.record_accepted.v1", "credit.record_erased.v1"
LISTED, DELISTED = "credit.subject_listed.v1", "credit.subject_delisted.v1"
REPAIRED = "credit.repair_decided.v1"
ABNORMAL, SERIOUS = ("list", "abnormal_operation"), ("list", "serious_illegal_dishonest")
BREACH, PENALTY = "commitment_breach", "penalty"
CAPITAL = whole_yuan("registered_capital", "capital_currency")


def _entered(type: str) -> tuple[FactRow, ...]:
    """What an enterprise is when it comes on the register, new or from an older one."""
    return (
        FactRow(type, REGISTRATION, "registration:{subject}", "registered_on"),
        FactRow(type, "registered_capital", "capital:{subject}", "registered_on", CAPITAL),
        FactRow(type, "industry_risk", "industry:{subject}", "registered_on", industry_class),
        FactRow(type, "foreign_invested", "ownership:{subject}", "registered_on", basis_points("foreign_share")),
        FactRow(type, "entity_type", "entity-type:{subject}", "registered_on",
                coded("enterprise_type", ENTITY_TYPES)),
        FactRow(type, AREA, "area:{subject}", "registered_on", area_code),
    )  # fmt: skip


# A fact's n is its row's place among those of its event type: add rows at the end of a type, never between.
# State (capital, industry) has a record per enterprise, which a later event replaces; what is counted, one per event.
# A change names the currency with the capital and the main industry with the activities.
FACT_ROWS: tuple[FactRow, ...] = (
    *(row for type in (REGISTERED, TAKEN_OVER) for row in _entered(type)),
    FactRow(NOTICED, "simplified_deregistration_notice", "notice:{subject}", "requested_on",
            when=(("procedure", "simplified"),)),
    FactRow(NOTICE_ENDED, "simplified_deregistration_notice", "notice:{subject}", "refused_on", ended,
            when=(("procedure", "simplified"),)),
    FactRow(DEREGISTERED, "simplified_deregistration_notice", "notice:{subject}", "deregistered_on", ended),
    FactRow(WITHDRAWN, "simplified_deregistration_notice", "notice:{subject}", "withdrawn_on", ended),
    FactRow(CHANGED, "registered_capital", "capital:{subject}", "changed_on", CAPITAL,
            when=(("changed", "registered_capital"),)),
    FactRow(CHANGED, "address_changes_12m", "address:{event_id}", "changed_on", when=(("changed", "area"),)),
    FactRow(CHANGED, "scope_changes_12m", "scope:{event_id}", "changed_on", when=(("changed", "activities"),)),
    FactRow(CHANGED, "legal_rep_changes_12m", "legal-representative:{event_id}", "changed_on",
            when=(("changed", "legal_representative"),)),
    FactRow(CHANGED, "industry_risk", "industry:{subject}", "changed_on", industry_class,
            when=(("changed", "activities"),)),
    FactRow(CHANGED, AREA, "area:{subject}", "changed_on", area_code, when=(("changed", "area"),)),
    FactRow(REVOKED, "licence_revoked", "revocation:{permit_id}", "revoked_on",
            when=(("reason", "commitment_unkept"),)),
    FactRow(REVOKED, "licence_revoked", "revocation:{permit_id}", "revoked_on", when=(("reason", "commitment_false"),)),
    FactRow(REVOKED, "permits_held", "permit:{permit_id}", "revoked_on", ended),
    FactRow(GRANTED, "permits_held", "permit:{permit_id}", "granted_on"),
    FactRow(CORRECTION_OVERDUE, "corrections_overdue", "correction:{correction_id}", "overdue_on"),
    FactRow(CORRECTION_MET, "corrections_overdue", "correction:{correction_id}", "met_on", ended),
    FactRow(INSPECTED, "spot_check_fail_3y", "inspection:{inspection_id}", "completed_on", when=(("problem", True),)),
    FactRow(INSPECTED, "refuses_inspection", "inspection:{inspection_id}", "completed_on", when=(("refused", True),)),
    FactRow(INSPECTED, "unreachable", "reached:{subject}", "completed_on", flag("unreachable")),
    FactRow(ACCEPTED, "commitment_breach", "credit:{record_id}", "effective_on", when=(("kind", BREACH),)),
    FactRow(ACCEPTED, "penalties_3y", "credit:{record_id}", "effective_on", when=(("kind", PENALTY),)),
    FactRow(REPAIRED, "commitment_breach", "credit:{target}", "decided_on", ended,
            when=(("granted", True), ("record_kind", BREACH))),
    FactRow(REPAIRED, "penalties_3y", "credit:{target}", "decided_on", ended,
            when=(("granted", True), ("record_kind", PENALTY))),
    FactRow(ERASED, ERASURE, "credit:{record_id}", "erased_on"),
    FactRow(LISTED, "abnormal_list_active", "listing:{listing_id}", "listed_on", when=(ABNORMAL,)),
    FactRow(LISTED, "abnormal_list_count_3y", "listing-count:{listing_id}", "listed_on", when=(ABNORMAL,)),
    FactRow(LISTED, "serious_list_active", "listing:{listing_id}", "listed_on", when=(SERIOUS,)),
    FactRow(DELISTED, "abnormal_list_active", "listing:{listing_id}", "delisted_on", ended, when=(ABNORMAL,)),
    FactRow(DELISTED, "serious_list_active", "listing:{listing_id}", "delisted_on", ended, when=(SERIOUS,)),
    FactRow(DELISTED, ERASURE, "listing-count:{listing_id}", "delisted_on", when=(("reason", "objection_upheld"),)),
    *(FactRow(SIGNALLED, indicator, "related:{indicator}:{record}", "since", number("value"),
              when=(("indicator", indicator),)) for indicator in RELATED),
)  # fmt: skip


def numbered(rows: Iterable[FactRow]) -> dict[str, list[tuple[int, FactRow]]]:
    """The rows of each event type, each with the n of its facts."""
    found: dict[str, list[tuple[int, FactRow]]] = {}
    for row in rows:
        its = found.setdefault(row.event_type, [])
        its.append((len(its), row))
    return found


ROWS_OF = numbered(FACT_ROWS)
PRODUCED = frozenset(row.indicator for row in FACT_ROWS if row.indicator not in (ERASURE, AREA))


def facts_of(
    data: Data, *, event_type: str, source: str, subject: str, sequence: int, event_id: UUID,
    stated_at: datetime = UNDATED, rows: Mapping[str, Sequence[tuple[int, FactRow]]] = ROWS_OF,
) -> tuple[Fact, ...]:  # fmt: skip
    """The facts one event states about its subject; none for a type that no row names.

    Raises UnreadableFact where a field that a matching row reads is missing or out of range.
    """
    facts = []
    names = {**data, "subject": subject, "event_id": event_id}
    for n, row in rows.get(event_type, ()):
        if row.when and not all(_holds(data, name, code) for name, code in row.when):
            continue
        try:
            record = row.record.format_map(names)
            legal_date, value = _legal_date(data, row.legal_date), row.value(data)
        except KeyError as missing:
            raise UnreadableFact(f"{event_type}: {missing.args[0]}: missing") from None
        except UnreadableFact as fault:
            raise UnreadableFact(f"{event_type}: {fault}") from None
        facts.append(Fact(source, subject, sequence, n, row.indicator, legal_date, value, record, event_id, stated_at))
    return tuple(facts)


def _holds(data: Data, name: str, code: object) -> bool:
    given = data.get(name)
    return code in given if isinstance(given, list | tuple) else given == code


def _legal_date(data: Data, name: str) -> date:
    given = data.get(name)
    if type(given) is not date or not EARLIEST <= given <= LATEST:
        raise UnreadableFact(f"{name}: not a date between {EARLIEST} and {LATEST}")
    return given
