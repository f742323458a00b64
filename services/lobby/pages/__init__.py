"""The pages, by who opens them."""

from services.lobby.pages import anyone, cases, form, operations, permits, review, risk

ROUTERS = (
    anyone.routes, form.routes, cases.routes, permits.routes, review.routes, risk.routes, operations.routes,
    anyone.rest,
)  # fmt: skip
"""In this order: the last one answers for every address that no other knows."""
