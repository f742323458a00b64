"""Whatever is sent, the answer is a problem (RFC 9457) that names the field and the fix; nothing of it is written,
and nothing of it is repeated."""

import json
import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from libs.common.web.limits import MAX_BODY_BYTES
from tests.http.wire import APPLICATIONS, as_json, client, get, rows, send, speak
from tests.spine import Spine, form, submit

ECHO = "EchoOfTheCaller"
CHINESE = re.compile(r"[\u4e00-\u9fff]")
UNFILLED = re.compile(r"\{[a-z_]*\}")
FIRST = {"if-match": '"1"'}
INVALID, MALFORMED, RETURNED = "invalid-json", "malformed", "form-returned"


@pytest.fixture(scope="module")
def url(spine: Spine) -> str:
    spine.up("registration", "risk")
    return spine.service("registration").url


@pytest_asyncio.fixture(scope="module", loop_scope="module", autouse=True)
async def nothing_breaks(spine: Spine, url: str) -> AsyncIterator[None]:
    """After all of it neither service has answered with a 5xx, and no log repeats what was sent."""
    yield
    for name in ("registration", "risk"):
        assert spine.service(name).alive
        counted = (await get(f"{spine.service(name).url}/metrics")).text
        assert 'status="4' in counted
        assert not re.search(r'http_request_seconds_count\{.*status="(5..|0)"', counted)
        assert ECHO not in spine.service(name).log.read_text()


def text_of(**changes: Any) -> bytes:
    return as_json(form(**changes))


def with_investor(**changes: Any) -> bytes:
    first, second = form()["investors"]
    return text_of(investors=[{**first, **changes}, second])


def shares(*parts: str) -> bytes:
    return text_of(investors=[{"name": ECHO, "kind": "legal", "country": "DE", "share": share} for share in parts])


def raw_form(before: bytes = b"", after: bytes = b"") -> bytes:
    """The form with something more in its text, before its first name or after its last value."""
    return b"{" + before + as_json(form())[1:-1] + after + b"}"


BODIES: dict[str, tuple[bytes, int, str, list[tuple[str, str]]]] = {
    "nothing": (b"", 422, MALFORMED, [("", "body_missing")]),
    "blanks": (b" \n ", 400, INVALID, [("", "json_invalid")]),
    "cut off": (text_of()[:-9], 400, INVALID, [("", "json_invalid")]),
    "a comma too many": (raw_form(after=b","), 400, INVALID, [("", "json_invalid")]),
    "single quotes": (b"{'area': '" + ECHO.encode() + b"'}", 400, INVALID, [("", "json_invalid")]),
    "a comment": (b"// " + ECHO.encode() + b"\n" + text_of(), 400, INVALID, [("", "json_invalid")]),
    "two values": (text_of() + b" " + text_of(), 400, INVALID, [("", "json_invalid")]),
    "a byte order mark": (b"\xef\xbb\xbf" + text_of(), 400, INVALID, [("", "json_invalid")]),
    "GB 18030": (json.dumps(form(), ensure_ascii=False).encode("gb18030"), 400, INVALID, [("", "json_not_utf8")]),
    "UTF-16": (text_of().decode().encode("utf-16"), 400, INVALID, [("", "json_not_utf8")]),
    "NaN": (raw_form(b'"x": NaN,'), 400, INVALID, [("", "json_not_a_number")]),
    "Infinity": (raw_form(b'"x": [-Infinity],'), 400, INVALID, [("", "json_not_a_number")]),
    "1e999": (raw_form(b'"x": 1e999,'), 400, INVALID, [("", "json_number_too_large")]),
    "an integer of 5,000 digits": (raw_form(b'"x": ' + b"9" * 5000 + b","), 400, INVALID,
                                   [("", "json_number_too_large")]),
    "100,000 open lists": (b"[" * 100_000, 400, INVALID, [("", "json_too_deep")]),
    "20,000 nested objects": (b'{"x":' * 20_000 + b"1" + b"}" * 20_000, 400, INVALID, [("", "json_too_deep")]),
    "a list 900 deep in a field": (text_of(area=json.loads("[" * 900 + "]" * 900)), 422, MALFORMED,
                                   [("area", "string_type")]),
    "2,000 unknown fields": (as_json({f"{ECHO}{n}": n for n in range(2000)}), 400, INVALID,
                             [("", "json_too_many_names")]),
    "a name twice": (raw_form(b'"area": "310106012",'), 400, INVALID, [("area", "json_name_repeated")]),
    "a name twice, once escaped": (raw_form(b'"\\u0061rea": "310106012",'), 400, INVALID,
                                   [("area", "json_name_repeated")]),
    "a name twice inside": (raw_form(b'"x": {"share": 1, "share": 2},'), 400, INVALID,
                            [("share", "json_name_repeated")]),
    "null": (b"null", 422, MALFORMED, [("", "model_attributes_type")]),
    "a list": (b"[]", 422, MALFORMED, [("", "model_attributes_type")]),
    "a text": (as_json(ECHO), 422, MALFORMED, [("", "model_attributes_type")]),
    "a number": (b"7", 422, MALFORMED, [("", "model_attributes_type")]),
    "a field too many": (text_of(colour=ECHO), 422, MALFORMED, [("colour", "extra_forbidden")]),
    "a field too many inside": (with_investor(voting_share=ECHO), 422, MALFORMED,
                                [("investors.0.voting_share", "extra_forbidden")]),
    "a field that no field can be called": (text_of(**{f"{ECHO} 张三": 1}), 422, MALFORMED, [("?", "extra_forbidden")]),
    "a lone surrogate as a name": (text_of(**{"\ud800": 1}), 422, MALFORMED, [("", "string_unicode")]),
    "a lone surrogate": (text_of(area="310106\ud800"), 422, MALFORMED, [("area", "string_unicode")]),
    "NUL": (text_of(area="310106\x00"), 422, MALFORMED, [("area", "text_not_printable")]),
    "NUL in a name": (with_investor(name=f"{ECHO}\x00"), 422, MALFORMED, [("investors.0.name", "text_not_printable")]),
    "a mark that turns the text": (with_investor(name=f"{ECHO}\u202e"), 422, MALFORMED,
                                   [("investors.0.name", "text_not_printable")]),
    "NUL in a code": (text_of(enterprise_type="limited\x00company"), 422, MALFORMED,
                      [("enterprise_type", "literal_error")]),
    "a number for a text": (text_of(area=310106012), 422, MALFORMED, [("area", "string_type")]),
    "a text for a list": (text_of(activities=ECHO), 422, MALFORMED, [("activities", "list_type")]),
    "an object for a list": (text_of(investors={}), 422, MALFORMED, [("investors", "list_type")]),
    "a list for an object": (text_of(legal_representative=[ECHO]), 422, MALFORMED,
                             [("legal_representative", "model_attributes_type")]),
    "a text for an object": (text_of(term=ECHO), 422, MALFORMED, [("term", "model_attributes_type")]),
    "a text for a truth": (with_investor(is_fie="true"), 422, MALFORMED, [("investors.0.is_fie", "bool_type")]),
    "null where there is no choice": (text_of(area=None), 422, MALFORMED, [("area", "string_type")]),
    "a share as a number": (with_investor(share=60), 422, MALFORMED, [("investors.0.share", "decimal_not_text")]),
    "a share as a float": (with_investor(share=60.0), 422, MALFORMED, [("investors.0.share", "decimal_not_text")]),
    "a share with a comma": (with_investor(share="60,5"), 422, MALFORMED, [("investors.0.share", "decimal_format")]),
    "a share in full width": (with_investor(share="６０"), 422, MALFORMED, [("investors.0.share", "decimal_format")]),
    "a share as a power": (with_investor(share="6e1"), 422, MALFORMED, [("investors.0.share", "decimal_format")]),
    "a share below zero": (with_investor(share="-60"), 422, MALFORMED, [("investors.0.share", "decimal_format")]),
    "a share of NaN": (with_investor(share="NaN"), 422, MALFORMED, [("investors.0.share", "decimal_format")]),
    "a share finer than 0.0001": (with_investor(share="60.00001"), 422, MALFORMED,
                                  [("investors.0.share", "decimal_too_many_places")]),
    "30 February": (text_of(term={"starts": "2026-02-30"}), 422, MALFORMED, [("term.starts", "date_format")]),
    "a name of 201 characters": (with_investor(name="名" * 201), 422, MALFORMED,
                                 [("investors.0.name", "string_too_long")]),
    "51 investors": (text_of(investors=form()["investors"] * 25 + form()["investors"][:1]), 422, MALFORMED,
                     [("investors", "too_long")]),
    "no activity": (text_of(activities=[]), 422, MALFORMED, [("activities", "too_short")]),
    "an unknown type": (text_of(enterprise_type=ECHO), 422, MALFORMED, [("enterprise_type", "literal_error")]),
    "an unknown kind of investor": (with_investor(kind=ECHO), 422, MALFORMED, [("investors.0.kind", "literal_error")]),
    "an unknown activity": (text_of(activities=["6210", "0001"]), 422, RETURNED,
                            [("activities.1", "activity_unknown")]),
    "a division for an activity": (text_of(activities=["62"]), 422, RETURNED,
                                   [("activities.0", "activity_not_a_class")]),
    "an activity twice": (text_of(activities=["6210", "6210"]), 422, RETURNED, [("activities.1", "activity_repeated")]),
    "an unknown country": (with_investor(country="ZZ"), 422, RETURNED, [("investors.0.country", "country_unknown")]),
    "an unknown currency": (text_of(capital_currency="XAU"), 422, RETURNED, [("capital_currency", "currency_unknown")]),
    "another district": (text_of(area="310115005"), 422, RETURNED, [("area", "area_outside_district")]),
    "an unknown street": (text_of(area="310106999"), 422, RETURNED, [("area", "area_unknown")]),
    "no capital": (text_of(registered_capital="0.00"), 422, RETURNED, [("registered_capital", "capital_not_positive")]),
    "shares of 99.9999": (shares("60", "39.9999"), 422, RETURNED, [("investors", "shares_not_100")]),
    "shares of 100.0001": (shares("60", "40.0001"), 422, RETURNED, [("investors", "shares_not_100")]),
    "thirds of 33.3333": (shares("33.3333", "33.3333", "33.3333"), 422, RETURNED, [("investors", "shares_not_100")]),
}  # fmt: skip


@pytest.mark.parametrize("name", BODIES)
async def test_a_bad_form_is_refused_at_its_field_in_both_languages_and_leaves_nothing(
    spine: Spine, url: str, name: str
) -> None:
    body, status, type, faults = BODIES[name]
    before = await rows(spine)

    english = await send(url + APPLICATIONS, body, language="en")
    chinese = await send(url + APPLICATIONS, body, language="zh-CN")

    assert_problem(english, status, type)
    assert [(fault["field"], fault["code"]) for fault in english.json()["errors"]] == faults
    assert_same_in_chinese(english, chinese)
    assert await rows(spine) == before


def assert_problem(answer: httpx.Response, status: int, type: str) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert (problem["type"], problem["status"]) == (f"urn:one-window:problem:{type}", status)
    assert problem["title"]
    assert problem["detail"]
    assert ECHO not in answer.text


def assert_same_in_chinese(english: httpx.Response, chinese: httpx.Response) -> None:
    """Same problem, same fields; every sentence in the language that was asked for."""
    assert (english.headers["content-language"], chinese.headers["content-language"]) == ("en", "zh")
    one, other = english.json(), chinese.json()
    for here, there in [(one, other), *zip(one.pop("errors", []), other.pop("errors", []), strict=True)]:
        english_words, chinese_words = here.pop("detail"), there.pop("detail")
        assert here == there
        assert CHINESE.search(chinese_words)
        assert not CHINESE.search(english_words)
        assert not UNFILLED.search(english_words + chinese_words)


async def test_the_figures_in_a_sentence_are_ours_and_exact(url: str) -> None:
    answer = await send(url + APPLICATIONS, shares("60", "39.9999"))
    assert answer.json()["errors"][0]["detail"] == "The shares must sum to exactly 100%; they sum to 99.9999%."

    answer = await send(url + APPLICATIONS, text_of(enterprise_type=ECHO))
    assert answer.json()["errors"][0]["detail"].startswith("Give one of these codes: limited_company, ")

    answer = await send(url + APPLICATIONS, b'{\n  "area": oops')
    assert answer.json()["errors"][0]["detail"] == "This is not valid JSON, near line 2, column 11."


async def test_all_faults_of_a_form_come_back_at_once(url: str) -> None:
    first, second = form()["investors"]
    body = text_of(
        activities=["0001", "62"], area="310115005", capital_currency="XAU",
        investors=[{**first, "country": "ZZ"}, {**second, "share": "39"}],
    )  # fmt: skip
    answer = await send(url + APPLICATIONS, body)
    assert [(fault["field"], fault["code"]) for fault in answer.json()["errors"]] == [
        ("capital_currency", "currency_unknown"),
        ("activities.0", "activity_unknown"),
        ("activities.1", "activity_not_a_class"),
        ("area", "area_outside_district"),
        ("investors.0.country", "country_unknown"),
        ("investors", "shares_not_100"),
    ]


@pytest.mark.parametrize(
    ("content_type", "accepted"),
    [
        (None, False), ("", False), ("text/plain", False), ("application/x-www-form-urlencoded", False),
        ("multipart/form-data; boundary=x", False), ("application/jsonp", False), ("text/json", False),
        ("application/json", True), ("Application/JSON; charset=utf-8", True), ("application/vnd.form+json", True),
    ],
)  # fmt: skip
async def test_a_body_that_does_not_say_it_is_json_is_not_read(
    spine: Spine, url: str, content_type: str | None, accepted: bool
) -> None:
    before = await rows(spine)
    answer = await send(url + APPLICATIONS, text_of(), content_type=content_type)
    if accepted:
        assert answer.status_code == 201
    else:
        assert_problem(answer, 415, "unsupported-media-type")
        assert await rows(spine) == before


CHANGES: dict[str, tuple[Any, str, list[tuple[str, str]]]] = {
    "nothing to change": ({}, RETURNED, [("", "change_empty")]),
    "nulls alone": ({"area": None}, RETURNED, [("", "change_empty")]),
    "what cannot change": ({"uscc": ECHO}, MALFORMED, [("uscc", "extra_forbidden")]),
    "half of the capital": ({"registered_capital": "8"}, RETURNED, [("capital_currency", "change_capital_incomplete")]),
    "no activities": ({"activities": []}, MALFORMED, [("activities", "too_short")]),
    "an unknown nationality": ({"legal_representative_nationality": "ZZ"}, RETURNED,
                               [("legal_representative_nationality", "country_unknown")]),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
async def test_a_bad_change_is_refused_and_the_enterprise_stays_as_it_is(spine: Spine, url: str, name: str) -> None:
    changes, type, faults = CHANGES[name]
    enterprise = f"{url}/v1/enterprises/{(await submit(spine)).json()['uscc']}"
    before = (await rows(spine), (await get(enterprise)).content)

    answer = await send(f"{enterprise}/changes", as_json(changes), **FIRST)

    assert_problem(answer, 422, type)
    assert [(fault["field"], fault["code"]) for fault in answer.json()["errors"]] == faults
    assert (await rows(spine), (await get(enterprise)).content) == before


async def test_a_change_of_an_enterprise_that_nobody_knows_is_not_found(spine: Spine, url: str) -> None:
    before = await rows(spine)
    answer = await send(f"{url}/v1/enterprises/91310106MA1FY0000X/changes", as_json({"area": "310106013"}), **FIRST)
    assert_problem(answer, 404, "not-found")
    assert await rows(spine) == before


USCC, ID = ("uscc", "string_pattern_mismatch"), ("application_id", "uuid_parsing")
PATHS: list[tuple[str, str, int, tuple[str, str] | None]] = [
    ("registration", "/", 404, None),
    ("registration", f"/{ECHO}", 404, None),
    ("registration", "/v1", 404, None),
    ("registration", "/v1/applications/", 404, None),
    ("registration", "//v1/applications", 404, None),
    ("registration", "/v1/applications/../../etc/passwd", 404, None),
    ("registration", "/v1/enterprises/%2e%2e%2fapplications", 404, None),
    ("registration", f"/v1/applications/{ECHO}", 422, ID),
    ("registration", "/v1/applications/%00", 422, ID),
    ("registration", "/v1/applications/6105cc38-1855-416d-a878-494a36227cef", 404, None),
    ("registration", f"/v1/enterprises/{ECHO}", 422, USCC),
    ("registration", "/v1/enterprises/91310106MA0000015b", 422, USCC),
    ("registration", "/v1/enterprises/91310106MA0000015B%0A", 422, USCC),
    ("registration", "/v1/enterprises/%ff%fe", 422, USCC),
    ("registration", "/v1/enterprises/%zz%", 422, USCC),
    ("registration", "/v1/enterprises/" + "9" * 2000, 422, USCC),
    ("registration", "/v1/enterprises/91310106MA1FY0000X", 404, None),
    ("risk", f"/{ECHO}", 404, None),
    ("risk", f"/v1/enterprises/{ECHO}/risk", 422, USCC),
    ("risk", "/v1/enterprises/%ed%a0%80/risk", 422, USCC),
    ("risk", "/v1/enterprises/91310106MA1FY0000X/risk", 404, None),
    ("risk", "/v1/enterprises/91310106MA1FY0000X/risk/", 404, None),
]


@pytest.mark.parametrize(("service", "path", "status", "fault"), PATHS)
async def test_a_path_that_leads_nowhere_is_a_problem_too(
    spine: Spine, url: str, service: str, path: str, status: int, fault: tuple[str, str] | None
) -> None:
    english, chinese = [await ask(spine, service, "GET", path, language) for language in ("en", "zh")]
    assert_problem(english, status, MALFORMED if fault else "not-found")
    assert [(one["field"], one["code"]) for one in english.json().get("errors", [])] == ([fault] if fault else [])
    assert_same_in_chinese(english, chinese)


@pytest.mark.parametrize("uscc", ["%00", "%ff%fe", "%3f%23%0a", "9" * 2000])
async def test_a_command_to_a_path_that_no_database_could_keep_is_a_problem_too(
    spine: Spine, url: str, uscc: str
) -> None:
    before = await rows(spine)
    answer = await send(f"{url}/v1/enterprises/{uscc}/changes", as_json({"area": "310106013"}), **FIRST)
    assert_problem(answer, 422, MALFORMED)
    assert await rows(spine) == before


async def ask(spine: Spine, service: str, method: str, path: str, language: str = "en") -> httpx.Response:
    """Ask for the path as it stands: a client would tidy it up first."""
    shown = {"accept-language": language, "purpose": "case_handling"}
    async with client(person="regulator-1" if service == "risk" else "applicant-1") as asking:
        request = asking.build_request(method, spine.service(service).url, headers=shown)
        request.extensions["target"] = path.encode()
        return await asking.send(request)


@pytest.mark.parametrize(
    ("service", "method", "path", "allowed"),
    [
        ("registration", "PUT", "/v1/applications", "GET, POST"),
        ("registration", "DELETE", "/v1/applications", "GET, POST"),
        ("registration", "PURGE", "/v1/applications", "GET, POST"),
        ("registration", "PUT", "/v1/enterprises/91310106MA0000015B", "GET"),
        ("registration", "OPTIONS", "/v1/enterprises/91310106MA0000015B", "GET"),
        ("risk", "POST", "/v1/risk/distribution", "GET"),
        ("risk", "PATCH", "/v1/enterprises/91310106MA0000015B/risk", "GET"),
    ],
)
async def test_a_method_that_a_path_does_not_offer_is_answered_with_those_it_does(
    spine: Spine, url: str, service: str, method: str, path: str, allowed: str
) -> None:
    answer = await ask(spine, service, method, path)
    assert_problem(answer, 405, "method-not-allowed")
    assert answer.headers["allow"] == allowed


async def test_what_is_not_http_is_answered_and_the_service_goes_on(spine: Spine, url: str) -> None:
    for nonsense in (
        b"hello\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: \x00\r\n\r\n",
    ):
        assert (await speak(url, nonsense)).status == 400
    assert (await submit(spine)).status_code == 201


class TestOversized:
    async def test_the_largest_body_that_fits_is_read(self, url: str) -> None:
        body = text_of()
        assert (await send(url + APPLICATIONS, body + b" " * (MAX_BODY_BYTES - len(body)))).status_code == 201

    async def test_one_byte_more_is_too_large(self, spine: Spine, url: str) -> None:
        before, body = await rows(spine), text_of()
        answer = await send(url + APPLICATIONS, body + b" " * (MAX_BODY_BYTES - len(body) + 1))
        assert_problem(answer, 413, "too-large")
        assert "1048576 bytes" in answer.json()["detail"]
        assert await rows(spine) == before

    async def test_a_body_without_a_stated_length_is_too_large_just_as_well(self, spine: Spine, url: str) -> None:
        async def chunks() -> AsyncIterator[bytes]:
            yield text_of()
            for _ in range(20):
                yield b" " * 65_536

        before = await rows(spine)
        assert_problem(await send(url + APPLICATIONS, chunks()), 413, "too-large")
        assert await rows(spine) == before

    async def test_a_stated_length_that_is_too_large_is_answered_before_anything_is_sent(self, url: str) -> None:
        head = (
            b"POST /v1/applications HTTP/1.1\r\nHost: here\r\nIdempotency-Key: k\r\nContent-Type: application/json\r\n"
            b"Content-Length: 99999999999\r\n\r\n"
        )
        answer = await speak(url, head)
        assert (answer.status, answer.problem["type"]) == (413, "urn:one-window:problem:too-large")

    async def test_a_body_where_none_is_wanted_is_bounded_too(self, spine: Spine, url: str) -> None:
        async with client() as asking:
            answer = await asking.request("GET", f"{url}/v1/enterprises/{ECHO}", content=b"x" * (MAX_BODY_BYTES + 1))
        assert_problem(answer, 413, "too-large")
