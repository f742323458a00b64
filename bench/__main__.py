"""python -m bench [relay] [consumer] [command] [journey]: measure, and print the figures."""

import argparse
import logging
import os
import platform

import uvloop

from bench import command, consumer, journey, relay
from bench.figures import console
from bench.ground import ground

BENCHES = {"relay": relay.measure, "consumer": consumer.measure, "command": command.measure, "journey": journey.measure}


async def main(names: list[str]) -> None:
    console.print(
        f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    )
    for name in names:
        async with ground() as on:
            await BENCHES[name](on)


if __name__ == "__main__":
    logging.getLogger("aiokafka").setLevel("CRITICAL")
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="|".join(BENCHES))
    uvloop.run(main(parser.parse_args().names or list(BENCHES)))
