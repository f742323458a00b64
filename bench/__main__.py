"""python -m bench [relay] [consumer] [risk] [scorecards] [regulators] [command] [journey] [registration] [related]
[soak] [slow]: measure, and print.

`soak` and `slow` run where they are named; the exit code is 1 where what they show does not hold."""

import argparse
import gc
import logging
import os
import platform
from collections.abc import Awaitable, Callable
from functools import partial

import uvloop

from bench import command, consumer, journey, registration, regulators, related, relay, risk, scorecards, slow, soak
from bench.figures import console
from bench.ground import Ground, ground

BENCHES: dict[str, Callable[[Ground], Awaitable[bool | None]]] = {
    "relay": relay.measure, "consumer": consumer.measure, "risk": risk.measure, "scorecards": scorecards.measure,
    "regulators": regulators.measure,
    "command": command.measure, "journey": journey.measure,
    "registration": registration.measure, "related": related.measure,
}  # fmt: skip
NAMED = ("soak", "slow")


async def main(given: argparse.Namespace) -> bool:
    console.print(
        f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    )
    benches = {
        **BENCHES,
        "regulators": partial(regulators.measure, enterprises=given.enterprises),
        "scorecards": partial(scorecards.measure, enterprises=given.enterprises, rounds=given.rounds),
        "soak": partial(soak.measure, rate=given.rate, minutes=given.minutes),
        "slow": slow.measure,
    }
    gc.collect()
    gc.freeze()  # as every service does when it has started
    holds = True
    for name in given.names or BENCHES:
        async with ground() as on:
            holds = (await benches[name](on)) is not False and holds
    return holds


if __name__ == "__main__":
    logging.getLogger("aiokafka").setLevel("CRITICAL")
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*BENCHES, *NAMED], metavar="NAME")
    parser.add_argument("--rate", type=float, default=soak.RATE, help="forms a second of the soak")
    parser.add_argument("--minutes", type=float, default=soak.MINUTES, help="of the soak; 20 shows what grows")
    parser.add_argument("--enterprises", type=int, default=scorecards.ENTERPRISES, help="of scorecards and regulators")
    parser.add_argument("--rounds", type=int, default=scorecards.ROUNDS, help="of scorecards")
    raise SystemExit(not uvloop.run(main(parser.parse_args())))
