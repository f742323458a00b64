"""The part of Prometheus that tests judge alerts by: what fires, and what does not."""

from __future__ import annotations

from typing import Any

import pytest

from tests.deploy.prometheus import Scrapes, fires

SEEN = """
lag{{service="risk"}} {lag}
parked{{service="risk",state="failed"}} 1
parked{{service="risk",state="waiting"}} 0
off{{service="risk"}} -3
away{{service="risk"}} NaN
requests_count{{service="risk",status="200"}} {good}
requests_count{{service="risk",status="503"}} {bad}
took_bucket{{service="risk",le="0.5"}} {quick}
took_bucket{{service="risk",le="1.0"}} {quick}
took_bucket{{service="risk",le="2.5"}} {all}
took_bucket{{service="risk",le="+Inf"}} {all}
"""


def scraped(*values: dict[str, Any], every: float = 30.0) -> Scrapes:
    scrapes = Scrapes()
    usual = {"lag": 0, "good": 100, "bad": 0, "quick": 100, "all": 100}
    for place, changed in enumerate(values):
        text = SEEN.format(**{**usual, **changed})
        scrapes.add(place * every, {"a": ("risk", text), "b": ("risk", None)})
    return scrapes


FAIL = 'sum by (service) (rate(requests_count{status=~"5.."}[5m])) > 0.05 * sum by (service) (rate(requests_count[5m]))'
SLOW = "histogram_quantile(0.99, sum by (service, le) (rate(took_bucket[5m]))) > 1"


@pytest.mark.parametrize(
    ("expression", "before", "now", "count"),
    [
        ("up == 0", {}, {}, 1),
        ("lag > 10", {"lag": 11}, {"lag": 10}, 0),
        ("lag > 10", {"lag": 10}, {"lag": 11}, 1),
        ('parked{state="failed"} > 0', {}, {}, 1),
        ('parked{state="waiting"} > 0', {}, {}, 0),
        ('parked{state!~"failed|forked"} < 1', {}, {}, 1),
        ('parked{service="risk",state!~"failed|waiting"} < 2', {}, {}, 0),
        ("abs(off) > 2", {}, {}, 1),
        ("away == 0", {}, {}, 0),
        ("sum by (service) (parked) < 2", {}, {}, 1),
        ("count by (service) (count by (service, state) (parked)) > 1", {}, {}, 1),
        ("increase(lag[1h]) > 0", {"lag": 5}, {"lag": 6}, 1),
        ("increase(lag[1h]) > 0", {"lag": 5}, {"lag": 5}, 0),
        ("increase(lag[10s]) > 0", {"lag": 5}, {"lag": 6}, 0),
        ("delta(lag[1h]) > 0", {"lag": 6}, {"lag": 5}, 0),
        (FAIL, {}, {"good": 194, "bad": 6}, 1),
        (FAIL, {}, {"good": 196, "bad": 4}, 0),
        (SLOW, {}, {"quick": 197, "all": 200}, 1),
        (SLOW, {}, {"quick": 200, "all": 201}, 0),
    ],
)
def test_an_expression_fires_where_it_holds(
    expression: str, before: dict[str, Any], now: dict[str, Any], count: int
) -> None:
    assert len(fires(expression, scraped(before, now))) == count


def test_a_counter_that_was_seen_once_only_has_not_increased() -> None:
    assert not fires("increase(lag[1h]) > 0", scraped({"lag": 7}))


def test_what_is_not_scraped_any_more_does_not_fire() -> None:
    scrapes = scraped({"lag": 11})
    scrapes.add(60.0, {"a": ("risk", None)})
    assert not fires("lag > 10", scrapes)
