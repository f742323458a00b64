"""The pages, by who opens them."""

from services.lobby.pages import (
    anyone,
    cases,
    enterprise,
    form,
    leaving,
    names,
    operations,
    overrides,
    permits,
    purpose,
    register,
    review,
    risk,
    scorecards,
    signatures,
    statistics,
    warnings,
    watch_lists,
)

ROUTERS = (
    anyone.routes, form.routes, names.routes, signatures.routes, cases.routes, permits.routes, leaving.routes,
    review.routes, register.routes, purpose.routes, risk.routes, enterprise.routes, statistics.routes, warnings.routes,
    watch_lists.routes, overrides.routes, scorecards.routes, operations.routes, anyone.rest,
)  # fmt: skip
"""In this order: the last one answers for every address that no other knows."""
