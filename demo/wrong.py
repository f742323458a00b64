"""A run is told once more, to a wrong build: on a copy of its topic and of registration's rows."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from demo.wrong_build import BETWEEN
from deploy.local.namespace import remove
from deploy.local.services import environment
from deploy.local.stack import CHECKOUT, Stack
from tests.checker import Report, Target, check

PARTITIONS = 12
PATIENCE = 40.0


async def caught(stack: Stack, run: str, log: Path) -> Report:
    """Feed the events of a finished run (its namespace) to the wrong build, kill it once between position and effect,
    check it. The run's registration must have stopped, for its database is copied.
    """
    wrong = f"{run}wrong_"
    env = {**environment(stack, wrong), "RISK_PORT": "0", "LOG_LEVEL": "WARNING"}
    topic, lives = f"{wrong}registration.events", []
    try:
        await _copy_database(stack, f"{run}registration", f"{wrong}registration")
        await _create(stack, topic)
        lives.append(await start("position-first", {**env, "ONE_WINDOW_CRASH_AT": BETWEEN}, log))
        records = await _records(stack, f"{run}registration.events")
        first = [record for record in records if _states_facts(record)][: max(1, len(records) // 20)]
        await _send(stack, topic, first)
        await asyncio.wait_for(lives[0].wait(), PATIENCE)
        lives.append(await start("position-first", env, log))
        await _send(stack, topic, [record for record in records if record not in first])
        return await check(Target(stack.bootstrap_servers, stack.database_url, wrong, patience=PATIENCE))
    finally:
        for process in lives:
            if process.returncode is None:
                process.kill()
                await process.wait()
        await remove(stack, wrong)


async def start(build: str, env: Mapping[str, str], log: Path) -> asyncio.subprocess.Process:
    """A wrong build as a process."""
    with log.open("ab") as output:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "demo.wrong_build",
            build,
            cwd=CHECKOUT,
            env={**os.environ, **env},
            stdout=output,
            stderr=output,
        )


Copied = tuple[int, bytes, bytes, Sequence[tuple[str, bytes]]]
"""(partition, key, value, headers)"""


def _states_facts(record: Copied) -> bool:
    """The first event of an enterprise: to lose its effect is to lose something, and it may come before others'."""
    return ("ce_type", b"registration.enterprise_registered.v1") in record[3]


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


async def _copy_database(stack: Stack, source: str, copy: str) -> None:
    """The rows of registration; what it has heard of others is taken out, for their topics are not copied."""
    connection = await asyncpg.connect(stack.database_url)
    try:
        await connection.execute(f'CREATE DATABASE "{copy}" TEMPLATE "{source}"')
    finally:
        await connection.close()
    connection = await asyncpg.connect(stack.database_url, database=copy)
    try:
        await connection.execute("TRUNCATE mark, position, parked, dead_letter")
    finally:
        await connection.close()


async def _create(stack: Stack, topic: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=stack.bootstrap_servers)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, PARTITIONS, 1)])
    finally:
        await admin.close()


async def _send(stack: Stack, topic: str, records: Sequence[Copied]) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=stack.bootstrap_servers, enable_idempotence=True)
    await producer.start()
    try:
        for partition, key, value, headers in records:
            await producer.send(topic, value, key=key, headers=list(headers), partition=partition)
        await producer.flush()
    finally:
        await producer.stop()
