"""python -m demo: an enterprise at one window, told with figures and then proved. Exit 0 only if everything holds."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Iterator

from demo import namespace
from demo.acts import calm_morning, day_with_faults
from demo.agent import an_agent
from demo.before_filing import before_filing
from demo.case import (
    lists_and_restrictions,
    permits,
    the_broken_commitment,
    the_city,
    the_draw,
    the_way_back,
    three_forms,
)
from demo.clients import Window
from demo.office import Office
from demo.proof import proof
from demo.run import Run
from demo.story import Story
from deploy.local.namespace import remove
from deploy.local.services import ServiceProcess, environment
from deploy.local.stack import CHECKOUT, ensure_running
from tests.checker import commands

LOGS = CHECKOUT / ".local" / "demo"
LIMIT_SECONDS = 600
SERVICES = ("registration", "licensing", "supervision", "credit", "risk", "lobby")
ACTS = (
    calm_morning,
    day_with_faults,
    an_agent,
    before_filing,
    three_forms,
    permits,
    the_draw,
    the_broken_commitment,
    lists_and_restrictions,
    the_city,
    the_way_back,
    proof,
)


async def tell(story: Story) -> None:
    """The whole run. Whatever happens, its processes end and its databases and topics go; the logs stay."""
    stack = await asyncio.to_thread(ensure_running, say=story.say)
    await remove(stack, namespace.PREFIX)
    name = namespace.fresh()
    processes = {
        service: ServiceProcess(service, environment(stack, name), LOGS / f"{service}.log") for service in SERVICES
    }
    opened = Window.opened(processes["registration"].url, processes["risk"].url)
    try:
        async with asyncio.timeout(LIMIT_SECONDS), opened as window:
            urls = {service: process.url for service, process in processes.items()}
            try:
                async with Office(urls, window.attempts) as office:
                    run = Run(stack, name, processes, window, office, story, LOGS)
                    await open_window(run)
                    hearing = asyncio.create_task(window.listen(stack.bootstrap_servers, f"{name}risk.events"))
                    try:
                        for act in ACTS:
                            await act(run)
                    finally:
                        hearing.cancel()
            finally:
                commands.dump(window.attempts, LOGS / "commands.ndjson")
    finally:
        for process in processes.values():
            process.kill()
        await remove(stack, namespace.PREFIX)


async def open_window(run: Run) -> None:
    for process in run.processes.values():
        process.start(LOG_LEVEL="WARNING")
    for process in run.processes.values():
        await asyncio.to_thread(process.wait_ready)
    await run.quiet()
    run.story.section("The window opens on 2026-01-05")
    run.story.say("six services run as processes of their own on Kafka and PostgreSQL; all names are made up")


def main() -> int:
    story = Story()
    story.console.print(
        "[bold]One Window (一窗)[/]: one form, its permits, a broken promise and the way back, under faults"
    )
    try:
        with namespace.alone(LOGS):
            for old in LOGS.glob("*.*"):
                old.unlink()
            logging.basicConfig(filename=LOGS / "demo.log", level=logging.WARNING)
            asyncio.run(tell(story))
    except KeyboardInterrupt:
        story.failures.append("it was interrupted")
    except Exception as error:
        logging.exception("the demonstration failed")
        story.failures += [str(leaf) or type(leaf).__name__ for leaf in _leaves(error)]
    if story.failures:
        story.console.print(f"\n[bold red]The demonstration failed[/] after {story.seconds:.0f} s:")
        for failure in story.failures:
            story.console.print(f"  {failure}", markup=False)
        story.console.print(f"Logs of the services, and every command with its answer: {LOGS}")
        return 1
    story.console.print(
        f"\n[bold green]Everything holds[/], in {story.seconds:.0f} s. Kafka and PostgreSQL go on running."
    )
    return 0


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _leaves(inner)
    else:
        yield error


if __name__ == "__main__":
    sys.exit(main())
