"""The draw: nobody chooses, everybody can be told why, and no class shows."""

import json
import secrets
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from hashlib import sha256
from math import ceil
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.supervision import domain, policy
from services.supervision.domain import CLASSES, Inputs, Inspector, Listed, Plan, RiskClass, TooFewInspectors
from services.supervision.domain.draw import quota

TASK = UUID("52b4b0f5-6c38-43b5-8f0c-0d4b6b0f5a11")
DRAW = UUID("0b9a4e0e-9b73-4a0a-8d5f-3a9e1c7d2b44")
DAY = date(2026, 1, 12)
SEED = bytes(range(32))


def uscc(n: int) -> str:
    return f"91310106MA{n:08d}"


USCCS = st.lists(st.integers(0, 400), min_size=1, max_size=60, unique=True).map(lambda ns: [uscc(n) for n in ns])
RATIOS = st.fixed_dictionaries({letter: st.integers(0, 10_000).map(lambda n: Decimal(n) / 100) for letter in CLASSES})
SEEDS = st.binary(min_size=32, max_size=32)


@st.composite
def libraries(draw: st.DrawFn) -> dict[str, RiskClass]:
    return {one: draw(st.sampled_from(CLASSES)) for one in draw(USCCS)}


def staff(count: int, department: str = "market_regulation") -> list[Inspector]:
    return [Inspector(f"{department}-{n}", department) for n in range(count)]


def drawn(
    objects: Mapping[str, RiskClass], ratios: Mapping[RiskClass, Decimal], inspectors: list[Inspector], *,
    seed: bytes = SEED, departments: tuple[str, ...] = ("market_regulation",), on: date = DAY,
) -> domain.Draw:  # fmt: skip
    return domain.draw(objects, ratios, inspectors, departments, seed=seed, task_id=TASK, on=on)


def same(ratio: int) -> dict[RiskClass, Decimal]:
    return dict.fromkeys(CLASSES, Decimal(ratio))


class TestObjects:
    @given(objects=libraries(), ratios=RATIOS, seed=SEEDS)
    def test_each_class_gives_its_ratio_rounded_up_and_at_least_one(
        self, objects: dict[str, RiskClass], ratios: dict[RiskClass, Decimal], seed: bytes
    ) -> None:
        for stratum in drawn(objects, ratios, staff(3), seed=seed).strata:
            members = {one for one, letter in objects.items() if letter == stratum.risk_class}
            assert stratum.size == len(members)
            assert set(stratum.drawn) <= members
            assert len(stratum.drawn) == ceil(ratios[stratum.risk_class] * len(members) / 100)
            assert bool(stratum.drawn) == bool(members and ratios[stratum.risk_class])

    @given(objects=libraries(), ratios=RATIOS, seed=SEEDS, order=st.randoms(use_true_random=False))
    def test_the_order_in_which_the_libraries_are_read_changes_nothing(
        self, objects: dict[str, RiskClass], ratios: dict[RiskClass, Decimal], seed: bytes, order: object
    ) -> None:
        shuffled = list(objects.items())
        inspectors = staff(4)
        order.shuffle(shuffled)  # type: ignore[attr-defined]
        order.shuffle(inspectors)  # type: ignore[attr-defined]
        assert drawn(dict(shuffled), ratios, inspectors, seed=seed) == drawn(objects, ratios, staff(4), seed=seed)

    @given(objects=libraries(), ratios=RATIOS, seed=SEEDS)
    def test_the_ratio_of_one_class_moves_nobody_of_another(
        self, objects: dict[str, RiskClass], ratios: dict[RiskClass, Decimal], seed: bytes
    ) -> None:
        raised = {**ratios, "D": Decimal(100)}
        before, after = drawn(objects, ratios, staff(2), seed=seed), drawn(objects, raised, staff(2), seed=seed)
        assert before.strata[:3] == after.strata[:3]

    def test_every_object_of_a_class_has_the_same_chance(self) -> None:
        """Chi-square over 4,000 fixed seeds, 19 degrees of freedom: chance alone passes 43.8 once in a thousand."""
        objects: dict[str, RiskClass] = {uscc(n): "C" for n in range(20)}
        ratios = {**same(0), "C": Decimal(25)}
        count: Counter[str] = Counter()
        for n in range(4_000):
            count.update(drawn(objects, ratios, staff(2), seed=sha256(b"%d" % n).digest()).strata[2].drawn)
        expected = 4_000 * 5 / 20
        # Drawing without replacement narrows each count by (1 - 5/20) against independent trials.
        chi_square = sum((count[one] - expected) ** 2 / (expected * (1 - 5 / 20)) for one in objects) * 19 / 20
        assert chi_square < 43.8

    def test_seed_day_and_list_each_change_who_is_drawn(self) -> None:
        objects: dict[str, RiskClass] = {uscc(n): "B" for n in range(200)}
        first = drawn(objects, same(10), staff(2)).strata
        assert drawn(objects, same(10), staff(2), seed=bytes(32)).strata != first
        assert drawn(objects, same(10), staff(2), on=date(2026, 1, 13)).strata != first
        assert set(drawn({**objects, uscc(999): "B"}, same(10), staff(2)).strata[1].drawn) != set(first[1].drawn)

    @pytest.mark.parametrize(
        ("size", "ratio", "count"),
        [(0, "50", 0), (1, "0.01", 1), (100, "1", 1), (101, "1", 2), (7, "100", 7), (3, "0", 0), (300, "33.33", 100)],
    )
    def test_a_part_of_an_object_is_a_whole_one(self, size: int, ratio: str, count: int) -> None:
        assert quota(size, Decimal(ratio)) == count


class TestInspectors:
    @given(objects=libraries(), seed=SEEDS, data=st.data())
    def test_nobody_is_sent_where_he_has_a_conflict_and_at_least_two_go(
        self, objects: dict[str, RiskClass], seed: bytes, data: st.DataObject
    ) -> None:
        kept_away = st.frozensets(st.sampled_from(sorted(objects)))
        inspectors = [*staff(2), *(replace(one, account=f"c{n}", conflicts=data.draw(kept_away))
                                   for n, one in enumerate(staff(3)))]  # fmt: skip
        conflicts = {one.account: one.conflicts for one in inspectors}
        for visit in drawn(objects, same(100), inspectors, seed=seed).visits:
            assert len(set(visit.inspectors)) == len(visit.inspectors) == 2
            assert not any(visit.uscc in conflicts[account] for account in visit.inspectors)

    @given(objects=libraries(), seed=SEEDS, count=st.integers(2, 7))
    def test_the_load_is_balanced_to_one_visit(self, objects: dict[str, RiskClass], seed: bytes, count: int) -> None:
        visits = drawn(objects, same(100), staff(count), seed=seed).visits
        load = Counter({one.account: 0 for one in staff(count)})
        load.update(account for visit in visits for account in visit.inspectors)
        assert max(load.values()) - min(load.values()) <= 1
        assert sum(load.values()) == 2 * len(objects)

    @given(objects=libraries(), seed=SEEDS)
    def test_a_joint_visit_has_somebody_of_every_department(self, objects: dict[str, RiskClass], seed: bytes) -> None:
        departments = ("fire_and_rescue", "health", "market_regulation")
        inspectors = [*staff(1, "fire_and_rescue"), *staff(2, "health"), *staff(2), *staff(4, "transport")]
        of = {one.account: one.department for one in inspectors}
        for visit in drawn(objects, same(100), inspectors, seed=seed, departments=departments).visits:
            assert sorted(of[account] for account in visit.inspectors) == sorted(departments)

    def test_where_there_are_too_few_it_says_of_which_department_and_how_many(self) -> None:
        with pytest.raises(TooFewInspectors) as refused:
            drawn({uscc(1): "D"}, same(100), [*staff(1), *staff(5, "health")])
        assert (refused.value.departments, refused.value.needed, refused.value.found) == (("market_regulation",), 2, 1)

    def test_the_objects_stay_the_same_when_inspectors_are_added(self) -> None:
        """A draw that could not be made is no second chance."""
        objects: dict[str, RiskClass] = {uscc(n): "B" for n in range(50)}
        with pytest.raises(TooFewInspectors):
            drawn(objects, same(10), staff(1))
        assert drawn(objects, same(10), staff(2)).strata == drawn(objects, same(10), staff(9)).strata


def inputs(objects: Mapping[str, RiskClass], ratios: Mapping[RiskClass, Decimal], seed: bytes = SEED) -> Inputs:
    plan = Plan(
        code_set="joint_inspection", items=("P001",), legal_basis="guofa_2019_5", departments=("market_regulation",),
        kind="key", ratios=ratios, scheme=None, activities=(), on=DAY,
    )  # fmt: skip
    return Inputs(
        task_id=TASK, draw_id=DRAW, plan=plan, filed_on=date(2026, 1, 5), drawn_on=DAY, policy_digest="-", seed=seed,
        objects=objects, excluded={}, inspectors=[Listed(f"i{n}", "market_regulation", (), None) for n in range(3)],
    )  # fmt: skip


def shown(of: Inputs) -> dict[str, object]:
    return domain.public(of, *domain.made(of))


class TestThePublicRecord:
    @given(objects=libraries(), seed=SEEDS, data=st.data())
    def test_two_worlds_with_other_classes_and_the_same_enterprises_drawn_look_the_same(
        self, objects: dict[str, RiskClass], seed: bytes, data: st.DataObject
    ) -> None:
        """Whatever the classes, the record is a function of who was drawn; a digest differs, and the seed hides it."""
        ratios = {"A": Decimal(0), "B": Decimal(0), "C": Decimal(100), "D": Decimal(100)}
        swapped: dict[str, RiskClass] = {
            one: data.draw(st.sampled_from(("A", "B") if letter in ("A", "B") else ("C", "D")))
            for one, letter in objects.items()
        }
        one, other = shown(inputs(objects, ratios, seed)), shown(inputs(swapped, ratios, seed))
        one.pop("record_digest"), other.pop("record_digest")
        assert json.dumps(one) == json.dumps(other)

    def test_names_no_class_ratio_stratum_seed_or_inspector_and_keeps_no_order_but_that_of_identifiers(self) -> None:
        objects: dict[str, RiskClass] = {uscc(n): CLASSES[n % 4] for n in range(80)}
        record = shown(inputs(objects, {"A": Decimal(5), "B": Decimal(10), "C": Decimal(50), "D": Decimal(100)}))
        assert set(record) == {
            "draw_id", "task_id", "code_set", "items", "legal_basis", "departments", "activities", "filed_on",
            "planned_on", "drawn_on", "commitment", "library_size", "library_digest", "objects",
            "inspectors_per_visit", "record_digest",
        }  # fmt: skip
        assert record["objects"] == sorted(record["objects"])  # type: ignore[type-var, arg-type]
        assert SEED.hex() not in json.dumps(record)

    def test_the_digest_cannot_be_fitted_by_trying_classes(self) -> None:
        """With one enterprise there are four worlds to try; without the seed none of them gives the digest."""
        seed = secrets.token_bytes(32)
        real = shown(inputs({uscc(1): "C"}, same(100), seed))
        guesses = {
            shown(inputs({uscc(1): letter}, same(100), guess))["record_digest"]
            for letter in CLASSES
            for guess in (SEED, bytes(32))
        }
        assert real["record_digest"] not in guesses
        assert real["record_digest"] == shown(inputs({uscc(1): "C"}, same(100), seed))["record_digest"]


class TestTheAuditorsRecord:
    @settings(max_examples=50)
    @given(objects=libraries(), ratios=RATIOS, seed=SEEDS)
    def test_can_be_repeated_to_the_byte_and_opens_the_commitment(
        self, objects: dict[str, RiskClass], ratios: dict[RiskClass, Decimal], seed: bytes
    ) -> None:
        of = inputs(objects, ratios, seed)
        _, record = domain.made(of)
        again = domain.made(replace(of, inspectors=list(reversed(of.inspectors))))[1]
        assert json.dumps(record) == json.dumps(again)
        assert record["commitment"] == sha256(seed + TASK.bytes).hexdigest() == domain.commitment(seed, TASK)

    @pytest.mark.parametrize(
        "change",
        [
            {"seed": bytes(32)},
            {"objects": {**{uscc(n): "B" for n in range(30)}, uscc(3): "D"}},
            {"objects": {uscc(n): "B" for n in range(29)}},
            {"drawn_on": date(2026, 1, 13)},
            {"excluded": {uscc(77): "deregistered"}},
            {"inspectors": [Listed(f"i{n}", "market_regulation", (), None) for n in range(1, 4)]},
        ],
        ids=lambda change: next(iter(change)),
    )
    def test_any_other_input_gives_another_digest(self, change: dict[str, object]) -> None:
        of = inputs({uscc(n): "B" for n in range(30)}, same(10))
        changed = replace(of, **change)  # type: ignore[arg-type]
        assert domain.record_digest(domain.made(of)[1]) != domain.record_digest(domain.made(changed)[1])


class TestThePlan:
    def planned(self, **changes: object) -> Plan:
        fields = {
            "code_set": "joint_inspection", "items": ["P001"], "legal_basis": "guofa_2019_5", "ratios": same(10),
            "scheme": None, "activities": [], "on": DAY, "today": date(2026, 1, 5), "policy": policy.current(),
        }  # fmt: skip
        return domain.planned(**{**fields, **changes})  # type: ignore[arg-type]

    def faults(self, **changes: object) -> set[tuple[str, str]]:
        with pytest.raises(domain.FormReturned) as returned:
            self.planned(**changes)
        return {(fault.field, fault.code) for fault in returned.value.faults}

    def test_takes_ratios_from_a_published_scheme(self) -> None:
        plan = self.planned(ratios=None, scheme="Henan 2021")
        assert plan.ratios == {"A": Decimal(1), "B": Decimal(2), "C": Decimal(10), "D": Decimal(30)}

    def test_knows_no_scheme_that_states_no_ratios_or_is_from_memory(self) -> None:
        for scheme in ("national 2022", "Shandong 2017"):
            assert self.faults(ratios=None, scheme=scheme) == {("scheme", "scheme_unknown")}

    def test_is_limited_while_one_item_is_general_and_not_where_all_are_key(self) -> None:
        whole = {"A": Decimal(5), "B": Decimal(20), "C": Decimal(100), "D": Decimal(100)}
        assert self.planned(items=["P001"], ratios=whole).kind == "key"
        assert self.faults(items=["P001", "S001"], ratios=whole) == {("ratios.C", "ratio_above_ceiling")}

    def test_names_every_fault_at_once(self) -> None:
        assert self.faults(
            items=["P001", "P001", "X9"], legal_basis="none", ratios={**same(0), "A": Decimal(101)},
            on=date(2026, 1, 4),
        ) == {
            ("items.1", "item_repeated"), ("items.2", "item_unknown"), ("legal_basis", "legal_basis_unknown"),
            ("on", "date_past"), ("ratios.A", "ratio_range"),
        }  # fmt: skip
        assert self.faults(scheme="Henan 2021") == {("ratios", "ratios_or_scheme")}
        assert self.faults(ratios=same(0)) == {("ratios", "ratios_all_zero")}
