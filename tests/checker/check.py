"""All checks over one body of evidence."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from tests.checker import (
    audit,
    credit,
    delivery,
    holdings,
    keys,
    limits,
    lives,
    lobby,
    recovery,
    registration,
    risk,
)
from tests.checker.commands import Attempt
from tests.checker.evidence import HEARS, Evidence, Target, gather
from tests.checker.record import Record
from tests.checker.report import Checked, Report

CHECKS: tuple[Callable[[Evidence], Checked], ...] = (
    keys.acknowledged_commands_are_there,
    delivery.everything_is_read,
    risk.each_event_has_its_facts_once,
    credit.every_record_of_the_city_is_accounted_for,
    credit.the_city_is_told_what_was_said,
    lobby.each_event_is_a_line_once,
    delivery.marks_stand_at_the_last_event,
    holdings.copies_are_what_was_heard,
    delivery.sequences_have_no_gap,
    delivery.rows_and_events_agree,
    registration.enterprises_are_what_their_events_say,
    registration.applications_are_what_their_events_say,
    risk.scores_equal_the_replay,
    risk.every_step_is_due,
    risk.counters_equal_the_rows,
    risk.announced_classes_are_the_classes,
    risk.relatives_are_told_what_holds,
    risk.answers_equal_the_replay,
    lives.reactions_happen_once,
    registration.states_are_legal,
    lives.things_pass_through_legal_states,
    holdings.things_stand_as_was_said,
    risk.classes_change_step_by_step,
    delivery.parked_and_buried_are_accounted_for,
    keys.one_key_one_answer_one_effect,
    keys.nobody_meets_an_error,
    audit.the_audit_is_what_was_published,
    audit.each_command_is_audited_once,
    registration.identifiers_are_valid_and_unique,
)
OF_A_RECORD: tuple[Callable[[Evidence], Checked], ...] = (
    recovery.services_recover_within_a_bound,
    limits.memory_stays_bounded,
    limits.disk_is_bounded_per_enterprise_and_year,
)
"""What is judged where the run was watched."""


async def check(target: Target, attempts: Sequence[Attempt] = (), record: Record | None = None) -> Report:
    """Gather the evidence of a run and judge it."""
    began = time.monotonic()
    evidence = await gather(target, attempts, record)
    checks = [one for one in CHECKS if _judges(one) not in set(HEARS) - set(target.services)]
    events = {service: len({event.id for event in said}) for service, said in evidence.events.items()}
    repeats = sum(map(len, evidence.events.values())) - sum(events.values())
    checked = tuple(one(evidence) for one in (*checks, *(OF_A_RECORD if record else ())))
    types = frozenset(event.type for said in evidence.events.values() for event in said)
    return Report(checked, events, repeats, round(time.monotonic() - began, 2), types)


def _judges(one: Callable[[Evidence], Checked]) -> str:
    """The name of the module: one that is a service's has checks of that service, for runs in which it ran."""
    return one.__module__.rpartition(".")[2]
