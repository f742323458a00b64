"""Two languages: gettext for words, Babel for dates and numbers. The language is part of the address (/zh, /en).

English is the source text; `locale/zh` is read from its .po when the lobby starts, so that nothing stale is compiled.
"""

import io
from collections.abc import Mapping
from contextvars import ContextVar
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from babel import Locale, dates, numbers
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from jinja2 import Environment

from libs.common.clock import SHANGHAI
from libs.common.problems import Language

CATALOGUE = Path(__file__).parent / "locale/zh/LC_MESSAGES/messages.po"
LOCALES: Mapping[Language, Locale] = {"zh": Locale("zh", "CN", script="Hans"), "en": Locale("en", "GB")}
HTML_LANG: Mapping[Language, str] = {"zh": "zh-Hans-CN", "en": "en"}
language: ContextVar[Language] = ContextVar("language", default="zh")


def N_(words: str) -> str:
    """Marks words for translation where they stand as data; the name is gettext's own."""
    return words


@cache
def _catalogues() -> Mapping[Language, NullTranslations]:
    compiled = io.BytesIO()
    with CATALOGUE.open("rb") as file:
        write_mo(compiled, read_po(file, locale="zh_Hans_CN"))
    compiled.seek(0)
    return {"zh": Translations(compiled), "en": NullTranslations()}


def say(words: str, **figures: object) -> str:
    """The words in the reader's language, with their figures."""
    said: str = _catalogues()[language.get()].ugettext(words)
    return said % figures if figures else said


def install(environment: Environment) -> None:
    environment.add_extension("jinja2.ext.i18n")
    environment.install_gettext_callables(  # type: ignore[attr-defined]
        gettext=lambda text: _catalogues()[language.get()].ugettext(text),
        ngettext=lambda one, many, n: _catalogues()[language.get()].ungettext(one, many, n),
        newstyle=True,
    )
    environment.filters |= {
        "day": day, "moment": moment, "clock": clock, "number": number, "percent": percent, "money": money,
        "say": say,
    }  # fmt: skip


def _here() -> Locale:
    return LOCALES[language.get()]


def day(value: date | str) -> str:
    """2026年1月5日 / 5 January 2026. Takes a date or its ISO text."""
    on = date.fromisoformat(value) if isinstance(value, str) else value
    return dates.format_date(on, "d MMMM y" if language.get() == "en" else "y年M月d日", locale=_here())


def _moment(value: datetime | str) -> datetime:
    at = datetime.fromisoformat(value) if isinstance(value, str) else value
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(SHANGHAI)


def moment(value: datetime | str) -> str:
    at = _moment(value)
    return f"{day(at.date())} {at:%H:%M}"


def clock(value: datetime | str) -> str:
    return f"{_moment(value):%H:%M}"


def number(value: Any) -> str:
    return numbers.format_decimal(Decimal(str(value)), locale=_here())


def percent(value: Any) -> str:
    """Of a number of per cent: 33.33 is 33.33%."""
    return numbers.format_percent(Decimal(str(value)) / 100, "#,##0.##%", locale=_here())


def money(value: Any, currency: str) -> str:
    """The currency is named, never a bare sign: ¥ is two currencies."""
    amount = numbers.format_decimal(Decimal(str(value)), "#,##0.##", locale=_here())
    return f"{currency} {amount}" if language.get() == "en" else f"{currency_name(currency)} {amount} 元"


COUNTRY_WORDS: Mapping[Language, Mapping[str, str]] = {
    "zh": {"HK": "中国香港", "MO": "中国澳门", "TW": "中国台湾", "CN": "中国（境内）"},
    "en": {"HK": "Hong Kong, China", "MO": "Macao, China", "TW": "Taiwan, China", "CN": "China (domestic)"},
}


def country_name(code: str) -> str:
    return COUNTRY_WORDS[language.get()].get(code) or _here().territories.get(code, code)


def currency_name(code: str) -> str:
    return str(_here().currencies.get(code, code))
