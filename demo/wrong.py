"""A run is told once more to a wrong build, on a copy of its topic and of registration's rows."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from demo.wrong_build import AFTER_POSITION
from deploy.local.services import environment
from deploy.local.stack import CHECKOUT, Stack
from tests.checker import Report, Target, check

PARTITIONS = 12
PATIENCE = 40.0
RESERVE = 40
"""Records kept for after the crash, so that the second life has something to read."""


async def caught(stack: Stack, namespace: str, log: Path) -> Report:
    """Feed the events of a finished run to the wrong build, kill it once between position and effect, check it.

    The services of the run must have stopped: their databases are copied.
    """
    wrong = f"{namespace}wrong_"
    connection = await asyncpg.connect(stack.database_url)
    try:
        await connection.execute(f'CREATE DATABASE "{wrong}registration" TEMPLATE "{namespace}registration"')
    finally:
        await connection.close()
    records = await _records(stack, f"{namespace}registration.events")
    topic = f"{wrong}registration.events"
    await _create(stack, topic)
    env = {**os.environ, **environment(stack, wrong), "RISK_PORT": "0", "LOG_LEVEL": "WARNING"}
    first = await _start(env | {"ONE_WINDOW_CRASH_AT": f"{AFTER_POSITION}:3"}, log)
    second = None
    try:
        await _feed(stack, topic, records, first)
        second = await _start(env, log)
        return await check(Target(stack.bootstrap_servers, stack.database_url, wrong, patience=PATIENCE))
    finally:
        for process in (first, second):
            if process is not None and process.returncode is None:
                process.kill()
                await process.wait()


async def _start(env: dict[str, str], log: Path) -> asyncio.subprocess.Process:
    with log.open("ab") as output:
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", "demo.wrong_build", cwd=CHECKOUT, env=env, stdout=output, stderr=output
        )


Copied = tuple[int, bytes, bytes, Sequence[tuple[str, bytes]]]
"""(partition, key, value, headers)"""


async def _records(stack: Stack, topic: str) -> list[Copied]:
    """Every record of a topic, in the order of each partition."""
    consumer = AIOKafkaConsumer(bootstrap_servers=stack.bootstrap_servers, auto_offset_reset="earliest")
    await consumer.start()
    try:
        consumer.assign([TopicPartition(topic, n) for n in range(PARTITIONS)])
        ends = await consumer.end_offsets(list(consumer.assignment()))
        found: list[Copied] = []
        while sum(ends.values()) > len(found):
            for batch in (await consumer.getmany(timeout_ms=500)).values():
                found += [(r.partition, r.key, r.value, r.headers) for r in batch]
        return found
    finally:
        await consumer.stop()


async def _create(stack: Stack, topic: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=stack.bootstrap_servers)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, PARTITIONS, 1)])
    finally:
        await admin.close()


async def _feed(stack: Stack, topic: str, records: Sequence[Copied], reader: asyncio.subprocess.Process) -> None:
    """A part at once, then a few at a time until the reader has died, then the rest."""
    producer = AIOKafkaProducer(bootstrap_servers=stack.bootstrap_servers, enable_idempotence=True)
    await producer.start()
    deadline = time.monotonic() + PATIENCE
    at, few = 0, len(records) // 4
    try:
        while at < len(records):
            if reader.returncode is not None or time.monotonic() > deadline:
                few = len(records)
            for partition, key, value, headers in records[at : at + few]:
                await producer.send(topic, value, key=key, headers=list(headers), partition=partition)
            await producer.flush()
            at += few
            few = 4 if len(records) - at > RESERVE else 0
            await asyncio.sleep(0.1)
    finally:
        await producer.stop()
