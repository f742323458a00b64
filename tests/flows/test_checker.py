"""The outside checker finds nothing in a finished run, and finds each thing that is then broken in a copy of it."""

from __future__ import annotations

import ast
import asyncio
import dataclasses
import json
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.checker import Attempt, check, commands
from tests.checker.identifiers import faults
from tests.flows.copies import copied
from tests.flows.corruptions import CORRUPTIONS
from tests.flows.distortions import DISTORTIONS, Records, distorted
from tests.flows.finished import Finished, finish
from tests.spine import Spine


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def finished(spine: Spine) -> Finished:
    return await finish(spine)


def test_nothing_is_found_in_a_run_that_went_well(finished: Finished) -> None:
    assert finished.alive.violations == ()
    assert finished.alive.events["registration"] == 56  # 3 registered, 19 changed, 1 too new, 17 filed, 16 decided
    idle = {one.sentence for one in finished.alive.checks if not one.looked_at}
    others = {"copies are what the others have said", "things stand as their last event says"}
    assert idle == {"each event has its reaction in the other service once", *others}, "only registration and risk ran"


def test_nothing_is_found_while_the_services_are_busy(finished: Finished) -> None:
    assert finished.busy.violations == ()
    assert finished.busy.events["registration"] < finished.alive.events["registration"]


async def test_rows_and_topics_tell_the_same_after_the_services_have_stopped(finished: Finished) -> None:
    assert (await check(finished.target, finished.attempts)).violations == ()


@pytest.mark.parametrize(("told", "code"), [("as it was", 0), ("with a lost command", 1)])
async def test_the_command_says_so_by_its_exit_code(finished: Finished, told: str, code: int, tmp_path: Path) -> None:
    attempts = [*finished.attempts, *([_lost(finished)] if code else [])]
    commands.dump(attempts, tmp_path / "commands.ndjson")
    target = finished.target

    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.checker", "--bootstrap", target.bootstrap_servers, "--database",
        target.database_url, "--namespace", target.namespace, "--services", *target.services,
        "--commands", str(tmp_path / "commands.ndjson"), "--json",
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    printed, _ = await process.communicate()

    assert process.returncode == code
    assert (json.loads(printed)["violations"] > 0) == bool(code)


@pytest.mark.parametrize(("service", "sql", "broken", "said"), CORRUPTIONS.values(), ids=CORRUPTIONS)
async def test_what_is_broken_in_a_copy_of_the_rows_is_found(
    finished: Finished, service: str, sql: str, broken: set[str], said: str
) -> None:
    async with copied(finished.target, service, sql) as target:
        report = await check(target, finished.attempts)

    assert report.broken == broken
    assert any(said in violation for violation in report.violations), report.violations


async def test_an_acknowledged_command_that_left_nothing_is_found(finished: Finished) -> None:
    report = await check(finished.target, [*finished.attempts, _lost(finished)])

    assert report.broken == {"I1", "I8", "I9"}
    assert any("there is no such row" in violation for violation in report.violations)


def _lost(finished: Finished) -> Attempt:
    acknowledged = next(one for one in finished.attempts if one.acknowledged)
    answer = (acknowledged.answer or "").replace(acknowledged.answered["id"], "00000000-0000-4000-8000-000000000000")
    return dataclasses.replace(acknowledged, key="lost", answer=answer)


async def test_two_answers_to_one_key_are_found(finished: Finished) -> None:
    acknowledged = next(one for one in finished.attempts if one.acknowledged)
    differently = dataclasses.replace(acknowledged, answer=f"{acknowledged.answer} ")

    report = await check(finished.target, [*finished.attempts, differently])

    assert report.broken == {"I8"}
    assert "answered in different ways" in report.violations[0]


async def test_an_answer_that_is_not_what_the_events_say_is_found(finished: Finished) -> None:
    answers = {uscc: {**answer, "score": answer["score"] + 1} for uscc, answer in finished.answers.items()}

    with answering(answers) as url:
        report = await check(dataclasses.replace(finished.target, urls={"risk": url}), finished.attempts)

    assert report.broken == {"I5"}
    assert "answered" in report.violations[0]


@contextmanager
def answering(answers: dict[str, dict[str, Any]]) -> Iterator[str]:
    """A service that gives these answers of risk."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(answers[self.path.split("/")[3]]).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(("topic", "distort", "broken", "said"), DISTORTIONS.values(), ids=DISTORTIONS)
async def test_what_is_broken_in_a_copy_of_the_topics_is_found(
    finished: Finished, topic: str, distort: Callable[[Records], Records], broken: set[str], said: str
) -> None:
    async with distorted(finished, topic, distort) as target:
        report = await check(target, finished.attempts)

    assert report.broken == broken, report.violations
    assert any(said in violation for violation in report.violations) or not said


@pytest.mark.parametrize("identifier", ["91310106MA0000162W", "91310106MA00008WXY"])
def test_identifiers_of_this_registry_are_valid(identifier: str) -> None:
    assert faults(identifier) == []


@pytest.mark.parametrize("position", range(18))
def test_an_identifier_with_one_character_altered_is_not_valid(position: int) -> None:
    right = "91310106MA0000162W"
    other = "7" if right[position] != "7" else "8"

    assert faults(right[:position] + other + right[position + 1 :])


def test_the_checker_knows_nothing_of_the_services() -> None:
    """Their code would only prove that it agrees with itself."""
    imported = set()
    for file in (Path(__file__).parents[1] / "checker").glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom):
                imported.add(node.module or "")
            elif isinstance(node, ast.Import):
                imported |= {name.name for name in node.names}

    own = {name for name in imported if name.split(".")[0] in {"services", "libs", "tests", "demo", "deploy"}}
    assert own
    assert all(name == "tests.checker" or name.startswith("tests.checker.") for name in own)
