"""What events state about an enterprise: facts, which of them hold, and the table that reads them from events."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from uuid import UUID

ERASURE = "erasure"  # the indicator of a tombstone
EARLIEST, LATEST = date(1900, 1, 1), date(2199, 12, 31)


class UnreadableFact(ValueError):
    """An event lacks what its fact needs; the message names the event type and the field, never the value."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing an event says of one enterprise. Key: (source, subject, sequence, n).

    `value` is in the indicator's own unit (yuan, a GB/T 4754 class, 1 for "it happened"); None: not comparable, as
    capital in a foreign currency is, because no rate is invented. `record_id` is what later facts replace.
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


def industry_class(data: Data) -> int:
    """The four digits of a GB/T 4754-2017 class as a number, so that a division is a range: 66 is 6600 to 6699."""
    code = data.get("industry")
    if not isinstance(code, str) or len(code) != 4 or not (code.isascii() and code.isdigit()):
        raise UnreadableFact("industry: a GB/T 4754 class has four digits")
    return int(code)


def _whole(data: Data, name: str, scale: int = 1) -> int:
    try:
        number = Decimal(str(data.get(name)))
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


REGISTERED, CHANGED = "registration.enterprise_registered.v1", "registration.enterprise_changed.v1"
REVOKED, INSPECTED = "licensing.permit_revoked.v1", "supervision.inspection_completed.v1"
ACCEPTED, ERASED = "credit.record_accepted.v1", "credit.record_erased.v1"
LISTED, DELISTED = "credit.subject_listed.v1", "credit.subject_delisted.v1"
REPAIRED = "credit.repair_decided.v1"
ABNORMAL, SERIOUS = ("list", "abnormal_operation"), ("list", "serious_illegal_dishonest")
BREACH, PENALTY = "commitment_breach", "penalty"
CAPITAL = whole_yuan("registered_capital", "capital_currency")

# A fact's n is its row's place among those of its event type: add rows at the end of a type, never between.
# State (capital, industry) has a record per enterprise, which a later event replaces; what is counted, one per event.
# A change names the currency with the capital and the main industry with the activities.
FACT_ROWS: tuple[FactRow, ...] = (
    FactRow(REGISTERED, REGISTRATION, "registration:{subject}", "registered_on"),
    FactRow(REGISTERED, "registered_capital", "capital:{subject}", "registered_on", CAPITAL),
    FactRow(REGISTERED, "industry_risk", "industry:{subject}", "registered_on", industry_class),
    FactRow(REGISTERED, "foreign_invested", "ownership:{subject}", "registered_on", basis_points("foreign_share")),
    FactRow(CHANGED, "registered_capital", "capital:{subject}", "changed_on", CAPITAL,
            when=(("changed", "registered_capital"),)),
    FactRow(CHANGED, "address_changes_12m", "address:{event_id}", "changed_on", when=(("changed", "area"),)),
    FactRow(CHANGED, "scope_changes_12m", "scope:{event_id}", "changed_on", when=(("changed", "activities"),)),
    FactRow(CHANGED, "legal_rep_changes_12m", "legal-representative:{event_id}", "changed_on",
            when=(("changed", "legal_representative"),)),
    FactRow(CHANGED, "industry_risk", "industry:{subject}", "changed_on", industry_class,
            when=(("changed", "activities"),)),
    FactRow(REVOKED, "licence_revoked", "revocation:{permit_id}", "revoked_on",
            when=(("reason", "commitment_unkept"),)),
    FactRow(REVOKED, "licence_revoked", "revocation:{permit_id}", "revoked_on", when=(("reason", "commitment_false"),)),
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
)  # fmt: skip
PRODUCED = frozenset(row.indicator for row in FACT_ROWS if row.indicator != ERASURE)


def facts_of(
    data: Data, *, event_type: str, source: str, subject: str, sequence: int, event_id: UUID,
    rows: Sequence[FactRow] = FACT_ROWS,
) -> tuple[Fact, ...]:  # fmt: skip
    """The facts one event states about its subject; none for a type that no row names.

    Raises UnreadableFact where a field that a matching row reads is missing or out of range.
    """
    facts = []
    for n, row in enumerate(row for row in rows if row.event_type == event_type):
        if not all(_holds(data, name, code) for name, code in row.when):
            continue
        try:
            record = row.record.format_map({**data, "subject": subject, "event_id": event_id})
            legal_date, value = _legal_date(data, row.legal_date), row.value(data)
        except KeyError as missing:
            raise UnreadableFact(f"{event_type}: {missing.args[0]}: missing") from None
        except UnreadableFact as fault:
            raise UnreadableFact(f"{event_type}: {fault}") from None
        facts.append(Fact(source, subject, sequence, n, row.indicator, legal_date, value, record, event_id))
    return tuple(facts)


def _holds(data: Data, name: str, code: object) -> bool:
    given = data.get(name)
    return code in given if isinstance(given, list | tuple) else given == code


def _legal_date(data: Data, name: str) -> date:
    given = data.get(name)
    if type(given) is not date or not EARLIEST <= given <= LATEST:
        raise UnreadableFact(f"{name}: not a date between {EARLIEST} and {LATEST}")
    return given
