"""Who may invest in what: the negative list of the day put to real industry codes."""

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from random import Random

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from services.registration import domain
from services.registration.cases import investors
from services.registration.domain import Investor, Screening, Structure
from services.registration.domain.decision import Facts
from services.registration.domain.policy import Edition, Entry, Policy, negative_lists
from services.registration.policy import load

JINGAN = "310106012"
TODAY = date(2026, 1, 5)
BETTER = ["refused", "review", "accepted"]


@cache
def law() -> Policy:
    return load()


@cache
def editions_and_entries() -> tuple[tuple[Edition, ...], tuple[Entry, ...]]:
    lists = [found for scope in law().negative_lists.values() for found in scope]
    entries = {
        (entry.edition, entry.scope, entry.item_no, entry.part): entry
        for found in lists
        for clauses in found.clauses.values()
        for clause in clauses
        for entry in clause.entries
    }
    return tuple(found.edition for found in lists), tuple(entries.values())


def with_entries(entries: Iterable[Entry]) -> Policy:
    return replace(law(), negative_lists=negative_lists(editions_and_entries()[0], entries))


def company(who: str, representative: str = "CN", form: str = "limited_company", claim: str | None = None) -> Structure:
    return Structure(form, investors(who), representative, claim)


def person(country: str, *, settled_abroad: bool = False) -> Investor:
    return Investor("natural", country, Decimal(100), settled_abroad=settled_abroad)


def screened(
    activity: str, structure: Structure, on: date = TODAY, scope: str = "national", policy: Policy | None = None
) -> Screening:
    return domain.screen(policy or law(), on, scope, JINGAN, [activity], structure)


def reasons(screening: Screening) -> set[str]:
    return {reason for finding in screening.findings for reason in finding.reasons}


class TestWhoIsForeign:
    def test_a_purely_domestic_applicant_is_not_screened(self) -> None:
        screening = screened("0422", company("CN 60 CN 40"))
        assert (screening.outcome, reasons(screening)) == ("accepted", {"not_screened_domestic"})

    @pytest.mark.parametrize("origin", ["HK", "MO", "TW", "US"])
    def test_hong_kong_macao_and_taiwan_count_as_foreign_capital(self, origin: str) -> None:
        assert screened("0422", company(f"{origin} 10 CN 90")).outcome == "refused"

    def test_a_chinese_citizen_settled_abroad_counts_as_foreign(self) -> None:
        at_home = Structure("limited_company", (person("CN"),), "CN")
        abroad = Structure("limited_company", (person("CN", settled_abroad=True),), "CN")
        assert screened("0422", at_home).outcome == "accepted"
        assert screened("0422", abroad).outcome == "refused"


class TestForeignInvestedInvestors:
    def test_an_fie_alone_in_a_prohibited_field_goes_to_a_person(self) -> None:
        screening = screened("0422", company("FIE 40 CN 60"))
        assert screening.outcome == "review"
        assert {"prohibited", "fie_not_looked_through"} <= reasons(screening)

    def test_an_fie_does_not_save_a_foreign_partner_from_refusal(self) -> None:
        assert screened("0422", company("FIE 40 US 1 CN 59")).outcome == "refused"

    def test_a_cap_missed_only_by_counting_the_fie_goes_to_a_person(self) -> None:
        assert screened("4414", company("FIE 30 US 30 CN 40")).outcome == "review"
        assert screened("4414", company("FIE 10 US 60 CN 30")).outcome == "refused"

    def test_a_met_measure_with_an_fie_goes_to_a_person(self) -> None:
        screening = screened("4414", company("FIE 49 CN 51"))
        assert (screening.outcome, reasons(screening)) == ("review", {"met", "fie_investor"})

    def test_an_fie_outside_the_list_is_accepted(self) -> None:
        assert screened("6210", company("FIE 100")).outcome == "accepted"

    def test_an_exception_stays_an_exception_for_an_fie(self) -> None:
        assert screened("6591", company("FIE 100"), date(2020, 1, 15)).outcome == "accepted"


class TestForms:
    @pytest.mark.parametrize("form", ["sole_proprietorship", "individual_business", "farmers_cooperative"])
    def test_a_foreigner_may_not_take_a_form_of_one_owner(self, form: str) -> None:
        screening = screened("6210", Structure(form, (person("DE"),), "DE"))
        assert (screening.outcome, reasons(screening)) == ("refused", {"form_closed_to_foreign_investors"})

    @pytest.mark.parametrize("region", ["HK", "MO", "TW"])
    def test_residents_of_hong_kong_macao_and_taiwan_may_ask_for_an_individual_business(self, region: str) -> None:
        assert screened("6210", Structure("individual_business", (person(region),), region)).outcome == "review"
        assert screened("6210", Structure("sole_proprietorship", (person(region),), region)).outcome == "refused"
        company_of_the_region = company(f"{region} 100", region, "individual_business")
        assert screened("6210", company_of_the_region).outcome == "refused"

    def test_a_citizen_settled_abroad_who_asks_for_an_individual_business_meets_a_person(self) -> None:
        owner = person("CN", settled_abroad=True)
        assert screened("6210", Structure("individual_business", (owner,), "CN")).outcome == "review"

    def test_an_fie_as_sole_proprietor_meets_a_person(self) -> None:
        assert screened("6210", company("FIE 100", form="sole_proprietorship")).outcome == "review"

    def test_no_foreign_partnership_where_equity_is_required(self) -> None:
        screening = screened("4414", company("DE 10 CN 90", form="partnership"))
        assert (screening.outcome, reasons(screening)) == ("refused", {"partnership_in_equity_sector"})
        assert screened("4414", company("DE 10 CN 90")).outcome == "accepted"
        assert screened("4414", company("CN 10 CN 90", form="partnership")).outcome == "accepted"

    def test_a_partnership_under_a_measure_on_part_of_the_class_meets_a_person(self) -> None:
        assert screened("0112", company("DE 10 CN 90", form="partnership")).outcome == "review"

    def test_a_partnership_where_only_joint_ventures_are_allowed_meets_a_person(self) -> None:
        screening = screened("7242", company("DE 10 CN 90", form="partnership"))
        assert screening.outcome == "review"
        assert "partnership_in_joint_venture_sector" in reasons(screening)
        assert screened("7242", company("DE 100", form="partnership")).outcome == "refused"


class TestWhoDecides:
    """Rows of nuclear power (2024 item 6: full, verified) with one mark changed at a time."""

    @staticmethod
    def outcome(who: str, **marks: object) -> str:
        entries = [
            replace(entry, **marks) if (entry.edition, entry.item_key) == ("2024", "nuclear_power") else entry
            for entry in editions_and_entries()[1]
        ]
        return screened("4414", company(who), policy=with_entries(entries)).outcome

    def test_a_verified_row_decides_alone(self) -> None:
        assert self.outcome("DE 60 CN 40") == "refused"
        assert self.outcome("DE 40 CN 60") == "accepted"

    @pytest.mark.parametrize("mark", ["memory", "doubtful"])
    def test_a_row_that_is_not_sure_neither_refuses_nor_clears(self, mark: str) -> None:
        assert self.outcome("DE 60 CN 40", confidence=mark) == "review"
        assert self.outcome("DE 40 CN 60", confidence=mark) == "review"

    def test_a_row_on_part_of_the_class_refuses_nobody_and_objects_to_nobody_who_meets_it(self) -> None:
        assert self.outcome("DE 60 CN 40", coverage="partial") == "review"
        assert self.outcome("DE 40 CN 60", coverage="partial") == "accepted"

    def test_relative_control_is_held_against_each_foreign_investor_singly(self) -> None:
        relative = {"measure": ("chinese_relative_control",)}
        assert self.outcome("DE 30 FR 30 CN 40", **relative) == "accepted"
        assert self.outcome("DE/a 30 FR/a 30 CN 40", **relative) == "accepted"
        assert self.outcome("DE 50 CN 50", **relative) == "refused"
        assert self.outcome("DE 40 CN 20 CN 21 FR 19", **relative) == "accepted"

    def test_a_chinese_affiliate_counts_with_its_foreign_group(self) -> None:
        single = {"measure": ("single_foreign_cap",), "single_foreign_cap_pct": Decimal(25)}
        assert self.outcome("DE 20 CN 80", **single) == "accepted"
        assert self.outcome("DE/a 20 CN/a 10 CN 70", **single) == "refused"

    def test_all_measures_of_a_row_must_be_met(self) -> None:
        both = {"measure": ("chinese_controlled", "legal_rep_chinese", "chinese_led")}
        assert self.outcome("DE 60 CN 40", **both) == "refused"
        assert self.outcome("DE 40 CN 60", **both) == "review"

    @pytest.mark.parametrize(
        ("who", "coverage", "outcome"),
        [
            ("DE 60 CN 40", "full", "accepted"),
            ("DE 60 CN 40", "partial", "accepted"),
            ("DE 100", "full", "refused"),
            ("DE 100", "partial", "review"),
        ],
    )
    def test_of_a_choice_one_met_row_is_enough(self, who: str, coverage: str, outcome: str) -> None:
        control = next(entry for entry in editions_and_entries()[1] if entry.item_key == "nuclear_power")
        control = replace(
            control, edition="2024", scope="national", effective_to=None, confidence="verified", coverage=coverage,
            effective_from=date(2024, 11, 1), alternative_group="choice_a",
        )  # fmt: skip
        venture = replace(control, part=2, measure=("joint_venture_only",))
        assert screened("4414", company(who), policy=with_entries([control, venture])).outcome == outcome

    def test_the_worst_answer_of_all_activities_is_the_answer(self) -> None:
        structure = company("DE 100", "DE")
        assert domain.screen(law(), TODAY, "national", JINGAN, ["6210", "7231"], structure).outcome == "review"
        assert domain.screen(law(), TODAY, "national", JINGAN, ["7231", "6210", "5128"], structure).outcome == "refused"


class TestSoftening:
    """The hospitals item made verified and full, so that it refuses and a pilot has something to soften."""

    @staticmethod
    @cache
    def sure_law() -> Policy:
        return with_entries(
            replace(entry, confidence="verified") if entry.item_key == "medical_2020" else entry
            for entry in editions_and_entries()[1]
        )

    def hospital(
        self, who: str, on: date, place: str = JINGAN, code: str = "8411", claim: str | None = None
    ) -> Screening:
        structure = company(who, "DE", claim=claim)
        return domain.screen(self.sure_law(), on, "national", place, [code], structure)

    def test_a_pilot_turns_a_refusal_into_a_review_from_its_first_day(self) -> None:
        assert self.hospital("DE 100", date(2024, 9, 7)).outcome == "refused"
        announced = self.hospital("DE 100", date(2024, 9, 8))
        assert (announced.outcome, announced.findings[0].relief) == ("review", ("N2",))
        assert "pilot_date_doubtful" in reasons(announced)
        begun = self.hospital("DE 100", date(2024, 11, 29))
        assert (begun.outcome, "pilot_applies" in reasons(begun)) == ("review", True)

    def test_a_pilot_holds_only_for_its_places_and_classes(self) -> None:
        assert self.hospital("DE 100", TODAY, place="330106012").outcome == "refused"
        assert self.hospital("DE 100", TODAY, code="8412").outcome == "refused"

    @pytest.mark.parametrize("limits", [{"scope": ("ftz",)}, {"effective_to": TODAY - timedelta(days=1)}])
    def test_a_pilot_of_another_scope_or_one_that_has_ended_softens_nothing(self, limits: dict[str, object]) -> None:
        pilots = tuple(replace(pilot, **limits) for pilot in law().pilots)
        policy = replace(self.sure_law(), pilots=pilots)
        assert screened("8411", company("DE 100", "DE"), policy=policy).outcome == "refused"
        assert screened("8411", company("DE 100", "DE"), policy=self.sure_law()).outcome == "review"

    def test_a_claim_to_treaty_terms_softens_a_refusal_and_never_passes_alone(self) -> None:
        assert screened("5128", company("DE 100")).outcome == "refused"
        claimed = screened("5128", company("DE 100", claim="investment_agreement"))
        assert claimed.outcome == "review"
        assert [finding.relief for finding in claimed.findings if finding.entry] == [("T01",)]
        assert screened("6210", company("DE 100", claim="cepa")).outcome == "review"

    def test_a_named_preference_needs_every_foreign_investor_to_be_of_its_origin(self) -> None:
        hangzhou, xiamen = "330106012", "350203001"
        assert self.hospital("HK 100", TODAY, place=hangzhou).outcome == "refused"
        assert self.hospital("HK 100", TODAY, place=xiamen).findings[0].relief == ("T08",)
        assert self.hospital("HK 50 DE 50", TODAY, place=xiamen).outcome == "refused"

    def test_where_the_law_says_that_there_is_no_preference_a_claim_does_not_soften(self) -> None:
        sure = with_entries(
            replace(entry, coverage="full") if entry.item_key == "troupes" else entry
            for entry in editions_and_entries()[1]
        )
        assert screened("8810", company("TW 60 CN 40", claim="ecfa"), policy=sure).outcome == "refused"
        assert screened("8810", company("HK 49 CN 51"), policy=sure).outcome == "review"
        assert screened("8810", company("HK 50 CN 50"), policy=sure).outcome == "refused"

    def test_a_claim_does_not_open_a_closed_form(self) -> None:
        assert screened("6210", company("DE 100", form="sole_proprietorship", claim="cepa")).outcome == "refused"


def test_a_decision_can_be_judged_again_from_its_record_and_agrees() -> None:
    facts = Facts("national", JINGAN, ("7242", "5621"), company("DE/a 33.3333 FIE 26.6667 CN 40", "HK", claim="cepa"))
    decision = domain.judge(facts, law(), date(2020, 1, 15))

    record = json.loads(json.dumps(domain.recorded(decision.facts)))
    assert domain.judge(domain.recalled(record), law(), decision.judged_for) == decision
    assert decision.policy_digest == law().digest


LISTED = sorted({code for found in law().negative_lists["national"] for code in found.clauses})
DAYS = st.sampled_from([
    date(2018, 7, 28), date(2019, 7, 29), date(2019, 7, 30), date(2020, 1, 1), date(2020, 4, 1), date(2020, 7, 23),
    date(2021, 12, 31), date(2022, 1, 1), date(2024, 10, 31), date(2024, 11, 1), TODAY,
])  # fmt: skip
FORMS = st.sampled_from(["limited_company", "joint_stock_company", "partnership"])
ORIGINS = st.sampled_from(["CN", "DE", "HK", "FIE", "DE/a", "FR/a", "CN/a"])


@st.composite
def structures(draw: st.DrawFn) -> Structure:
    origins = draw(st.lists(ORIGINS, min_size=1, max_size=4))
    cuts = sorted(draw(st.sets(st.integers(1, 999_999), min_size=len(origins) - 1, max_size=len(origins) - 1)))
    shares = [Decimal(high - low) / 10_000 for low, high in zip([0, *cuts], [*cuts, 1_000_000], strict=True)]
    who = investors(" ".join(f"{origin} {share}" for origin, share in zip(origins, shares, strict=True)))
    representative = draw(st.sampled_from(["CN", "HK", "DE"]))
    return Structure(draw(FORMS), who, representative, draw(st.sampled_from([None, None, "cepa"])))


def no_better(then: str, before: str) -> bool:
    return BETTER.index(then) <= BETTER.index(before)


@given(structures(), st.sampled_from(LISTED), DAYS, st.data())
def test_a_greater_foreign_share_never_improves_the_answer(
    structure: Structure, activity: str, on: date, data: st.DataObject
) -> None:
    who = structure.investors
    givers = [i for i, one in enumerate(who) if not one.is_foreign]
    takers = [i for i, one in enumerate(who) if one.is_foreign and not one.is_fie]
    assume(givers and takers)
    giver, taker = data.draw(st.sampled_from(givers)), data.draw(st.sampled_from(takers))
    moved = Decimal(data.draw(st.integers(1, int(who[giver].share * 10_000)))) / 10_000
    shifted = list(who)
    shifted[taker] = replace(who[taker], share=who[taker].share + moved)
    shifted[giver] = replace(who[giver], share=who[giver].share - moved)
    more_foreign = replace(structure, investors=tuple(one for one in shifted if one.share))

    assert no_better(screened(activity, more_foreign, on).outcome, screened(activity, structure, on).outcome)


@given(structures(), DAYS, st.sampled_from(editions_and_entries()[1]), st.sampled_from(["cap", "whole", "ban"]))
def test_a_stricter_list_never_accepts_more(structure: Structure, on: date, entry: Entry, how: str) -> None:
    stricter = {
        "cap": replace(
            entry,
            foreign_cap_pct=entry.foreign_cap_pct and entry.foreign_cap_pct - 5,
            chinese_min_pct=entry.chinese_min_pct and entry.chinese_min_pct + 5,
            single_foreign_cap_pct=entry.single_foreign_cap_pct and entry.single_foreign_cap_pct - 5,
        ),
        "whole": replace(entry, coverage="full"),
        "ban": replace(entry, measure=("prohibited",)),
    }[how]
    assume(how != "ban" or entry.measure != ("excepted",))
    policy = with_entries(stricter if one is entry else one for one in editions_and_entries()[1])

    for activity in entry.gbt4754_codes:
        before = screened(activity, structure, on, entry.scope)
        assert no_better(screened(activity, structure, on, entry.scope, policy).outcome, before.outcome)


@given(structures(), st.lists(st.sampled_from(LISTED), min_size=1, max_size=4, unique=True), DAYS, st.randoms())
def test_order_does_not_matter_and_another_activity_never_improves_the_answer(
    structure: Structure, activities: list[str], on: date, random: Random
) -> None:
    answer = domain.screen(law(), on, "national", JINGAN, activities, structure)
    shuffled = list(activities)
    random.shuffle(shuffled)
    reordered = replace(structure, investors=structure.investors[::-1])
    assert domain.screen(law(), on, "national", JINGAN, shuffled, reordered).outcome == answer.outcome
    assert no_better(answer.outcome, screened(activities[0], structure, on).outcome)
    assert structure.treaty_claim is None or not structure.foreign_investors or answer.outcome != "accepted"
