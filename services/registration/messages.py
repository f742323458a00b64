"""What registration says to people: one sentence per code in Chinese and English, with `{figures}` to fill in."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Literal

from libs.common.policy import read_table, unique

Language = Literal["zh", "en"]
FILE = Path(__file__).with_name("messages.csv")


@dataclass(frozen=True, slots=True)
class Message:
    """`kind`: finding (a ground of a decision), fault (the form goes back), notice (something to know), problem (a
    request is refused), label (a word on a document).

    Sentences for a body that is not in shape are common to all services.
    """

    code: str
    kind: Literal["finding", "fault", "notice", "problem", "label"]
    zh: str
    en: str

    def placeholders(self, language: Language) -> set[str]:
        template = self.zh if language == "zh" else self.en
        return {name for _, name, _, _ in Formatter().parse(template) if name is not None}


@cache
def messages(file: Path = FILE) -> dict[str, Message]:
    """All messages by code. Raises PolicyError where one is empty or its languages ask for different figures."""
    table = read_table(file, Message, required=("code", "zh", "en"))
    unique(table, lambda row: row.code)
    table.require(lambda row: row.placeholders("zh") == row.placeholders("en"), "{code}: figures differ by language")
    return {row.code: row for row in table}


def text(code: str, language: Language, **figures: object) -> str:
    """The sentence for a code. Raises KeyError for an unknown code or a missing figure."""
    message = messages()[code]
    return (message.zh if language == "zh" else message.en).format_map(figures)
