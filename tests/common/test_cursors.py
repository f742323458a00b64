"""A cursor leads on from where its page ended; one that no page has given is refused, whatever it holds."""

import base64
import json
from datetime import date
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.problems import Problem
from libs.common.web.cursors import after, page

keys = st.lists(st.tuples(st.dates(), st.uuids()), unique=True).map(sorted)


@given(keys, st.integers(1, 5))
def test_pages_one_after_the_other_are_the_whole_list(rows: list[tuple[date, UUID]], limit: int) -> None:
    read: list[tuple[date, UUID]] = []
    cursor: str | None = None
    while True:
        behind = after(cursor, date.fromisoformat, UUID)
        found = [row for row in rows if behind is None or row > behind][: limit + 1]
        shown, cursor = page(found, limit, lambda row: row)
        read += shown
        if cursor is None:
            break
        assert len(shown) == limit
    assert read == rows


@given(st.text(max_size=40).map(lambda text: base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")) | st.text())
def test_what_no_page_has_given_is_refused(cursor: str) -> None:
    with pytest.raises(Problem) as refused:
        after(cursor, date.fromisoformat, UUID)
    assert (refused.value.status, refused.value.faults[0].field) == (422, "cursor")


@pytest.mark.parametrize("key", [["a\x00b"], ["\ud800"], [1], [None], "text", 7, {"a": 1}, [["a"]]])
def test_only_plain_text_reaches_the_database(key: object) -> None:
    cursor = base64.urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=")
    with pytest.raises(Problem):
        after(cursor, str)
