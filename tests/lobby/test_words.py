"""Two languages: no word of the interface is missing in Chinese, and none is left over."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import get_args

import pytest
from babel.messages.catalog import Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from services.licensing.domain.catalogue import Mode
from services.lobby import views, words
from services.lobby.names import name_of
from services.registration.domain.states import Status

LOBBY = Path(words.__file__).parent
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "N_": None, "say": None}
METHODS = [("**.py", "python"), ("templates/**.html", "jinja2")]
OPTIONS = {"templates/**.html": {"trimmed": "true"}}


def used() -> set[str]:
    found = extract_from_dir(str(LOBBY), METHODS, OPTIONS, KEYWORDS)
    texts = {message[0] if isinstance(message, tuple) else message for _, _, message, _, _ in found}
    return {text for text in texts if text}


def translated() -> Iterator[Message]:
    with words.CATALOGUE.open("rb") as file:
        catalogue = read_po(file, locale="zh_Hans_CN")
    assert not catalogue.fuzzy, "a fuzzy header turns every page English"
    yield from (message for message in catalogue if message.id)


def texts(message: Message) -> list[str]:
    return [message.string] if isinstance(message.string, str) else list(message.string)


def test_every_word_has_its_chinese_and_none_is_left_over() -> None:
    known = {message.id if isinstance(message.id, str) else message.id[0]: message for message in translated()}
    assert used() - known.keys() == set()
    assert known.keys() - used() == set()
    assert [id for id, message in known.items() if message.fuzzy or not all(texts(message))] == []


def test_the_figures_are_the_same_in_both() -> None:
    wrong = [error for message in translated() for error in message.check()]
    assert wrong == []


def test_chinese_uses_chinese_punctuation() -> None:
    """Full-width marks after Chinese characters; the half-width ones stand between Latin letters and digits alone."""
    bad = [
        text
        for message in translated()
        for text in texts(message)
        for before, mark in pairwise(text)
        if mark in ",;:?!" and "\u4e00" <= before <= "\u9fff"
    ]
    assert bad == []


@pytest.mark.parametrize(("language", "said"), [("zh", "待办案件"), ("en", "Work queue")])
def test_words_come_in_the_language_of_the_page(language: words.Language, said: str) -> None:
    token = words.language.set(language)
    try:
        assert words.say("Work queue") == said
    finally:
        words.language.reset(token)


def test_dates_money_and_names_as_each_language_writes_them() -> None:
    token = words.language.set("zh")
    assert words.day("2026-01-05") == "2026年1月5日"
    assert words.moment("2026-01-05T01:41:00Z") == "2026年1月5日 09:41"
    assert words.money("8000000", "CNY") == "人民币 8,000,000 元"
    assert words.percent("33.33") == "33.33%"
    assert [name_of("country", code) for code in ("DE", "HK", "TW")] == ["德国", "中国香港", "中国台湾"]
    words.language.set("en")
    assert words.day("2026-01-05") == "5 January 2026"
    assert words.money("8000000", "CNY") == "CNY 8,000,000"
    assert name_of("country", "TW") == "Taiwan, China"
    assert name_of("industry", "6210") == "正餐服务", "a name without English is given in Chinese"
    assert name_of("permit_item", "P999") == "P999"
    words.language.reset(token)


def test_every_state_mode_and_class_has_its_words() -> None:

    assert set(get_args(Status)) <= views.STATES.keys()
    assert {mode for part in get_args(Mode) for mode in get_args(part)} <= views.MODES.keys()
