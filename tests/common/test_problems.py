"""Problems as RFC 9457 has them: sentences from tables, in two languages, and never without one."""

from pathlib import Path
from string import Formatter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.problems import COMMON, Fault, Problem, catalogue, field_path, language_of, sentence

SERVICES = Path(__file__).parents[2] / "services"
FILES = [COMMON, *sorted(SERVICES.glob("*/messages.csv"))]


class TestSentences:
    @pytest.mark.parametrize("file", FILES, ids=lambda file: file.parent.name)
    def test_each_has_both_languages_and_asks_for_the_same_figures_in_both(self, file: Path) -> None:
        for code, spoken in catalogue(file).items():
            assert spoken["zh"].strip(), code
            assert spoken["en"].strip(), code
            assert figures(spoken["zh"]) == figures(spoken["en"]), code

    @pytest.mark.parametrize("file", FILES, ids=lambda file: file.parent.name)
    def test_no_code_of_a_service_is_said_twice(self, file: Path) -> None:
        codes = [code for each in {COMMON, file} for code in said(each)]
        assert len(codes) == len(set(codes))

    def test_one_without_a_sentence_gets_a_general_one(self) -> None:
        general = "This value is not accepted; see the description of the interface."
        assert sentence("no_such_code", "en", catalogue(), {}) == general
        assert sentence("too-large", "en", catalogue(), {}) == general, "its figure is missing"
        assert sentence("too-large", "en", catalogue(), {"limit": 7}).startswith("The body is larger than 7 bytes")

    @given(st.text(), st.dictionaries(st.text(max_size=5), st.text(max_size=5)))
    def test_whatever_is_asked_for_something_is_said(self, code: str, params: dict[str, str]) -> None:
        assert sentence(code, "zh", catalogue(), params)
        assert sentence("too-large", "zh", catalogue(), {**params, "limit": "{0.__class__}"})


def said(file: Path) -> list[str]:
    return [line.split(",", 1)[0] for line in file.read_text(encoding="utf-8").splitlines()[1:]]


def figures(template: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(template) if name is not None}


class TestBody:
    def test_it_names_type_status_and_what_to_do(self) -> None:
        assert Problem("not-found", 404).body("en", catalogue()) == {
            "type": "urn:one-window:problem:not-found",
            "title": "not found",
            "status": 404,
            "detail": "There is nothing here by that name.",
        }

    def test_each_fault_has_its_field_its_code_and_its_sentence(self) -> None:
        faults = [Fault("activities.3", "missing"), Fault("name", "string_too_long", {"max_length": 60})]
        assert Problem("malformed", 422, faults).body("zh", catalogue())["errors"] == [
            {"field": "activities.3", "code": "missing", "detail": "此项必填。"},
            {"field": "name", "code": "string_too_long", "detail": "最多 60 个字符。"},
        ]


class TestFields:
    @pytest.mark.parametrize(
        ("parts", "path"),
        [
            ((), ""),
            (("area",), "area"),
            (("investors", 0, "share"), "investors.0.share"),
            (("investors", 12), "investors.12"),
            (("my-own_Field2",), "my-own_Field2"),
        ],
    )
    def test_a_path_names_fields_and_places(self, parts: tuple[int | str, ...], path: str) -> None:
        assert field_path(parts) == path

    @pytest.mark.parametrize("name", ["张三", "13812345678", "a b", "<script>", "", "\ud800", "x\n", "x" * 65])
    def test_what_no_field_is_called_is_not_repeated(self, name: str) -> None:
        assert field_path(("term", name)) == "term.?"


class TestLanguage:
    @pytest.mark.parametrize(
        ("asked", "spoken"),
        [
            (None, "zh"), ("", "zh"), ("zh", "zh"), ("en", "en"), ("EN-gb", "en"), ("zh-Hans-CN", "zh"),
            ("fr, en", "en"), ("fr", "zh"), ("zh, en", "zh"), ("en, zh", "zh"), ("zh;q=0.5, en", "en"),
            ("zh-CN,zh;q=0.9,en;q=0.8", "zh"), ("en-US,en;q=0.9,zh-CN;q=0.8", "en"), ("en;q=0", "zh"),
            ("en;q=0.001", "en"), ("*", "zh"), ("*, zh;q=0.2", "en"), ("zh;q=0, *;q=0.1", "en"),
            ("en;q=nonsense", "zh"), ("en;q=1.5", "zh"), (";;;,,,q=", "zh"), ("english", "zh"),
        ],
    )  # fmt: skip
    def test_the_one_that_weighs_more_and_chinese_otherwise(self, asked: str | None, spoken: str) -> None:
        assert language_of(asked) == spoken

    @given(st.text(alphabet="enzh-;q=0.1,* "))
    def test_any_header_is_understood(self, asked: str) -> None:
        assert language_of(asked) in ("zh", "en")
