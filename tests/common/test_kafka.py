"""Connections to Kafka that are lost while somebody uses them, and brokers that are away."""

from __future__ import annotations

import asyncio

import pytest
import uvloop
from aiokafka.client import AIOKafkaClient
from aiokafka.conn import AIOKafkaConnection
from aiokafka.errors import KafkaConnectionError
from aiokafka.protocol.metadata import MetadataRequest

from deploy.local.stack import Stack
from libs.common import kafka


def test_a_request_on_a_connection_that_was_reset_just_now_fails_as_kafkas_own_errors_do(stack: Stack) -> None:
    """Whoever asks is prepared for those alone: of any other a fetcher dies in silence."""
    assert kafka.PARTITIONS, "what services import"
    host, _, port = stack.bootstrap_servers.partition(",")[0].rpartition(":")

    async def asks(passes: int) -> None:
        connection = AIOKafkaConnection(host, int(port))
        await connection.connect()
        connection._writer.transport.abort()
        for _ in range(passes):
            await asyncio.sleep(0)
        try:
            with pytest.raises(KafkaConnectionError):
                await connection.send(MetadataRequest([]))
        finally:
            connection.close()

    for passes in range(4):  # of the loop, from the reset until the connection has heard of it
        uvloop.run(asks(passes))


async def test_while_no_broker_answers_a_client_asks_ten_times_a_second_and_not_all_the_time(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, asked = AIOKafkaClient(bootstrap_servers=stack.bootstrap_servers), 0
    await client.bootstrap()
    answered = client._get_conn

    async def nobody(*_: object) -> None:
        nonlocal asked
        asked += 1

    monkeypatch.setattr(client, "_get_conn", nobody)
    until = asyncio.get_running_loop().time() + 1
    while asyncio.get_running_loop().time() < until:  # as a fetcher does that misses a leader
        assert not await client.force_metadata_update()
    assert 2 <= asked <= 20, "of each broker that it knows, and of where it began"
    monkeypatch.setattr(client, "_get_conn", answered)
    assert await client.force_metadata_update()
    await client.close()
