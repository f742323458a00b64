"""What people do at the window, each act a small story of one or more commands. How often, is data."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable

from chaos.acts import credit, licensing, looks, registration, scorecards, supervision
from chaos.world import World

Act = Callable[[World, random.Random], Awaitable[None]]

ACTS: dict[Act, int] = {
    registration.file_a_form: 30,
    registration.file_twice_at_once: 3,
    registration.decide_what_is_in_review: 12,
    registration.correct_what_was_returned: 8,
    registration.change_something: 14,
    registration.write_a_draft: 5,
    registration.leave_the_register: 2,
    registration.object_to_who_leaves: 1,
    registration.decide_who_leaves: 2,
    licensing.apply_for_a_permit: 14,
    licensing.decide_on_a_permit: 8,
    licensing.see_to_a_notification: 8,
    supervision.plan_and_draw: 2,
    supervision.visit: 10,
    supervision.check_a_commitment: 4,
    supervision.act_on_a_complaint: 2,
    supervision.see_to_a_correction: 4,
    supervision.publish_early: 2,
    credit.list_an_enterprise: 3,
    credit.end_a_listing: 2,
    credit.apply_for_repair: 3,
    credit.decide_on_a_repair: 3,
    credit.erase_a_record: 1,
    credit.hear_from_the_city: 2,
    scorecards.compare_a_scorecard: 5,
    looks.look_at_a_risk: 8,
    looks.look_around: 8,
}
"""Parts of all acts."""
