"""How recovery is measured: what many ask at once."""

from __future__ import annotations

import asyncio
import secrets
import time
from types import SimpleNamespace
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaConnectionError

from chaos.recovery import Ends
from deploy.local.services import free_port
from deploy.local.stack import Stack
from libs.common.kafka import PARTITIONS


async def test_many_ask_at_once_where_a_topic_ends_and_each_is_told(stack: Stack) -> None:
    topic = f"t{secrets.token_hex(4)}.events"
    admin = AIOKafkaAdminClient(bootstrap_servers=stack.bootstrap_servers)
    await admin.start()
    cluster: Any = SimpleNamespace(stack=stack)
    ends = Ends(cluster, [topic])
    try:
        await admin.create_topics([NewTopic(topic, PARTITIONS, 1)])
        told = await asyncio.gather(*(ends.now() for _ in range(20)))
        assert told == [{(topic, number): 0 for number in range(PARTITIONS)}] * 20
    finally:
        await ends.close()
        await admin.delete_topics([topic])
        await admin.close()


async def test_who_asks_while_brokers_are_away_waits_for_one_answer_and_not_for_those_of_all_others() -> None:
    cluster: Any = SimpleNamespace(stack=SimpleNamespace(bootstrap_servers=f"127.0.0.1:{free_port()}"))
    ends = Ends(cluster, ["nobody.events"])
    began = time.monotonic()
    told = await asyncio.gather(*(ends.now() for _ in range(20)), return_exceptions=True)
    assert all(isinstance(one, KafkaConnectionError) for one in told)
    assert len(set(map(id, told))) <= 2
    assert time.monotonic() - began < 10
