"""HTTP: what regulators may ask of risk."""

from services.risk.api import (
    comparison,
    enterprises,
    feed,
    overrides,
    scorecards,
    search,
    statistics,
    warnings,
    watch_lists,
)

routers = (
    enterprises.api,
    search.api,
    statistics.api,
    feed.api,
    watch_lists.api,
    warnings.api,
    scorecards.api,
    comparison.api,
    overrides.api,
)
