"""Run services: one process each in production, all in one on a laptop. A dead part ends the process."""

import asyncio
import gc
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import structlog
import uvicorn
import uvloop

from libs.common import calendar, kafka, signature, time_travel, work
from libs.common.audit.heads import TOPIC as HEADS_TOPIC
from libs.common.audit.sealer import sealer
from libs.common.clock import BusinessClock
from libs.common.consumer import Consumer
from libs.common.database import Database, connect, open_database, provision
from libs.common.due import ticker
from libs.common.idempotency import forget_old
from libs.common.migration import migrate
from libs.common.relay.loop import WentBack, relay
from libs.common.relay.restored import check_not_restored
from libs.common.service import Service
from libs.common.settings import Refused, Settings
from libs.common.telemetry import POLICY_LOADED, start_logging, start_tracing
from libs.common.web import Running, create_app

log = structlog.get_logger()
FORGET_SECONDS = 3600


class Server(uvicorn.Server):
    """Several servers share one process: `run` handles the signals for all of them."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def run(*services: Service) -> None:
    """Run these services in this process until SIGTERM or SIGINT."""
    start_logging(services[0].load_settings().log_level)
    start_tracing([service.name for service in services])
    try:
        uvloop.run(_run(services))
    except* Refused as refused:
        sys.exit("\n".join(str(error) for error in _leaves(refused)))


async def _run(services: tuple[Service, ...]) -> None:
    stop = asyncio.Event()
    for wanted in (signal.SIGTERM, signal.SIGINT):
        # Before anything starts: an early stop must still leave the consumer group in order.
        asyncio.get_running_loop().add_signal_handler(wanted, stop.set)
    async with asyncio.TaskGroup() as group:
        for service in services:
            group.create_task(serve(service, stop), name=service.name)


async def prepare(service: Service, settings: Settings, database: Database) -> None:
    """Database, tables and topics, where they are missing; refuse a database that was restored."""
    signature.keys(settings)  # an unfit keyring is told now, not to the first who wants a licence
    await provision(settings)
    await migrate(database)
    heard = [settings.topic(f"{name}.events") for name in service.hears]
    taken, told = map(settings.topic, service.takes), map(settings.topic, set(service.outward.values()))
    common = [settings.topic(time_travel.CLOCK_TOPIC), settings.topic(HEADS_TOPIC)]
    topics = dict.fromkeys([settings.events_topic, *heard, *taken, *common])  # a service may hear itself
    await kafka.create_topics(settings, [*topics])
    await kafka.create_topics(settings, told, config=kafka.FOR_OUTSIDERS)
    await check_not_restored(database, settings, service.digest)


async def serve(service: Service, stop: asyncio.Event, *, ready: asyncio.Event | None = None) -> None:
    """One service from its checks to its end."""
    settings = service.load_settings()
    database = open_database(settings)
    await prepare(service, settings, database)
    clock = BusinessClock(settings.business_start if settings.allow_time_travel else None)
    running = Running(service, settings, database, clock, stopping=stop)
    if service.hears or service.takes:
        running.consumer = Consumer(service, database, settings, clock)
    try:
        async with asyncio.TaskGroup() as group:
            if settings.allow_time_travel:
                at_end = asyncio.Event()
                group.create_task(time_travel.follow(settings, clock, at_end, stop))
                await at_end.wait()
            if service.on_start is not None:
                await service.on_start(database, clock)
            if service.policy_digest is not None:
                POLICY_LOADED.labels(service.name, service.policy_digest()).set(1)
            await work.follow_calendar(database, calendar.current(), clock)
            group.create_task(_web(running, stop, ready))
            group.create_task(_relay(service, database, settings, stop))
            group.create_task(sealer(database, settings, stop))
            group.create_task(ticker(service, database, clock, stop))
            group.create_task(_forget(database, stop))
            for long_work in service.works:
                group.create_task(long_work(database, clock, stop))
            if running.consumer is not None:
                group.create_task(running.consumer.run(stop))
    finally:
        await database.engine.dispose()


async def _relay(service: Service, database: Database, settings: Settings, stop: asyncio.Event) -> None:
    """The relay is the first to see that the database was restored under the running process; that ends it."""
    try:
        await relay(database, settings, stop, service.outward)
    except WentBack:
        await check_not_restored(database, settings, service.digest)
        raise


async def _web(running: Running, stop: asyncio.Event, ready: asyncio.Event | None) -> None:
    config = uvicorn.Config(
        create_app(running.service, running),
        log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=5, server_header=False,
    )  # fmt: skip
    server, listening = Server(config), _listen(running.settings)
    async with asyncio.TaskGroup() as group:
        group.create_task(server.serve(sockets=[listening]))
        while not server.started:  # noqa: ASYNC110 - uvicorn has a flag, not an event
            await asyncio.sleep(0.01)
        gc.collect()
        gc.freeze()  # what lives as long as the process is never looked at again
        host, port = listening.getsockname()
        log.info("ready", service=running.service.name, host=host, port=port)
        if ready is not None:
            ready.set()
        await stop.wait()
        server.should_exit = True


def _listen(settings: Settings) -> socket.socket:
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((settings.host, settings.port))
    except OSError as error:
        name = f"{settings.service.upper()}_PORT"
        raise Refused(
            f"{settings.service}: cannot listen on {settings.host}:{settings.port} ({error.strerror}). Set {name}."
        ) from error
    return listening


async def _forget(database: Database, stop: asyncio.Event) -> None:
    while not stop.is_set():
        with suppress(Exception):
            connection = await connect(database)
            try:
                await forget_old(connection)
            finally:
                await connection.close()
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), FORGET_SECONDS)


def _leaves(group: ExceptionGroup[Refused]) -> Iterator[Exception]:
    for error in group.exceptions:
        if isinstance(error, ExceptionGroup):
            yield from _leaves(error)
        else:
            yield error
