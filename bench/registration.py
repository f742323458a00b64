"""What the registry does alone: forms screened, names looked up and searched, an edition's impact, an older register
taken over."""

from __future__ import annotations

import csv
import io
import random
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import asyncpg
import msgspec
from rich.console import Console
from rich.table import Table

from bench.figures import Runs, console, percentile
from bench.ground import Ground
from libs.common.clock import BusinessClock
from libs.common.database import connect
from services.registration import domain, impact, importer, policy
from services.registration.domain import names
from services.registration.domain.impact import LawOn
from services.registration.domain.imported import COLUMNS
from services.registration.domain.uscc import uscc_for
from services.registration.forms import APPLICATION_EXAMPLE, ApplicationForm
from services.registration.repository import search
from services.registration.service import service
from services.registration.use_cases import check_name

FORMS, ROUNDS = 20_000, 5
ENTERPRISES, NAMES, LOOK_UPS = 500_000, 500_000, 2_000
ARRIVING = 50_000
TODAY = date(2026, 1, 5)
INDUSTRIES = {"餐饮": "6210", "软件": "6513", "商贸": "5199", "咨询": "7249", "物流": "5990", "科技": "7320"}
NAME_COLUMNS = (
    "id", "state", "name", "full_name", "trade", "core", "sound", "industry", "division", "held_since",
)  # fmt: skip
REGISTER = """
INSERT INTO enterprise (uscc, registered_on, name, enterprise_type, registered_capital, capital_currency, activities,
    area, legal_representative_nationality, version, facts)
SELECT '9131' || lpad(n::text, 14, '0'), '2024-01-01', h.full_name, 'limited_company', 1, 'CNY', a.activities,
    '310106012', 'CN', 1, a.facts
FROM (SELECT full_name, row_number() OVER () - 1 AS n FROM name_held LIMIT $1) h JOIN unnest($2::text[], $3::text[])
    WITH ORDINALITY AS p(activities_text, facts_text, place) ON p.place = n % $4 + 1
CROSS JOIN LATERAL (SELECT string_to_array(p.activities_text, ';') AS activities, p.facts_text::jsonb AS facts) a
"""


async def measure(on: Ground) -> None:
    _, database = await on.prepared(service)
    table = Table("", "median (range)", "target", title="Registration, one core", title_justify="left")
    table.add_row("forms checked and screened, a second", str(screened()), ">= 20,000")
    connection = await connect(database, statement_timeout="1200s")
    try:
        table.add_row(*await looked_up(connection))
        table.add_row(*await moved(connection))
        table.add_row(*await searched(connection))
        table.add_row(*await taken_over(connection))
    finally:
        await connection.close()
        await database.engine.dispose()
    console.print(table)


def screened(forms: int = FORMS, rounds: int = ROUNDS) -> Runs:
    """Forms of one to three activities, half of them of the list; checked and judged, as a submission is."""
    law, chance = policy.current(), random.Random(1)
    plain = ApplicationForm.model_validate(APPLICATION_EXAMPLE).command().application
    plans = [_plan(chance) for _ in range(forms)]

    def once() -> float:
        began = time.process_time()
        for activities, holders, nationality in plans:
            stated = replace(
                plain, activities=activities, investors=holders, legal_representative_nationality=nationality
            )
            domain.decide(domain.checked(stated, law), law, TODAY)
        return forms / (time.process_time() - began)

    return Runs(tuple(once() for _ in range(rounds)))


@cache
def codes() -> tuple[list[str], list[str]]:
    """The classes that a national list names, and all."""
    law = policy.current()
    classes = sorted(code for code, industry in law.industries.items() if industry.level == 4)
    return sorted({code for found in law.negative_lists["national"] for code in found.clauses}), classes


def _plan(chance: random.Random, listed_share: float = 0.5) -> tuple[tuple[str, ...], tuple[domain.Investor, ...], str]:
    listed, classes = codes()
    activities = chance.sample(listed if chance.random() < listed_share else classes, chance.randint(1, 3))
    share = Decimal(chance.randint(1, 100))
    foreign = domain.Investor("legal", chance.choice(["DE", "HK", "US", "JP"]), share)
    holders = (foreign, domain.Investor("legal", "CN", 100 - share)) if share < 100 else (foreign,)
    return tuple(activities), holders, chance.choice(["CN", "DE"])


async def looked_up(connection: asyncpg.Connection) -> tuple[str, str, str]:
    """The p99 of a name check against names of two to four characters; half of what is asked is taken."""
    law, chance = policy.current(), random.Random(2)
    characters = list(law.pinyin)
    made = [_name(chance, characters) for _ in range(NAMES)]
    records = [_held(name, law) for name in made]
    await connection.copy_records_to_table("name_held", records=records, columns=list(NAME_COLUMNS))
    await connection.execute("VACUUM ANALYZE name_held")
    took: list[float] = []
    for number in range(LOOK_UPS):
        name = chance.choice(made) if number % 2 else _name(chance, characters)
        plan = names.Plan(name, "limited_company", INDUSTRIES[name.industry], Decimal(60))
        began = time.perf_counter()
        await check_name(connection, plan, law, TODAY)
        took.append((time.perf_counter() - began) * 1000)
    said = f"p50 {percentile(took, 0.5):.1f}, p99 {percentile(took, 0.99):.1f}, worst {max(took):.1f}"
    return f"name check against {NAMES:,}, ms", said, "p99 <= 50"


def _name(chance: random.Random, characters: list[str]) -> domain.EnterpriseName:
    trade = "".join(chance.choices(characters, k=chance.choice([2, 3, 3, 4])))
    return domain.EnterpriseName("上海", trade, chance.choice(list(INDUSTRIES)), "有限公司")


def _held(name: domain.EnterpriseName, law: domain.Policy) -> tuple[object, ...]:
    keys = names.keys(name, INDUSTRIES[name.industry], law)
    parts = msgspec.json.encode(asdict(name)).decode()
    found = (keys.trade, keys.core, keys.sound, keys.industry, keys.division)
    return uuid4(), "registered", parts, name.full, *found, TODAY


async def moved(connection: asyncpg.Connection) -> tuple[str, str, str]:
    """The impact of the 2024 edition on a register in which every activity is of the list: the worst there is."""
    law, chance = policy.current(), random.Random(3)
    kinds = []
    for _ in range(1_000):
        activities, holders, nationality = _plan(chance, listed_share=1)
        structure = domain.Structure("limited_company", holders, nationality)
        kept = domain.recorded(domain.Facts("national", "310106012", activities, structure))
        kinds.append((";".join(activities), msgspec.json.encode(kept).decode()))
    await connection.execute(REGISTER, ENTERPRISES, *map(list, zip(*kinds, strict=True)), len(kinds))
    before, after = LawOn(law, date(2024, 10, 31)), LawOn(law, date(2024, 11, 1))
    began, spent = time.perf_counter(), time.process_time()
    summary = await impact.write(connection, before, after, io.StringIO(), lambda _: None)
    spent, took = time.process_time() - spent, time.perf_counter() - began
    said = f"{spent:.0f} of this process, {took:.0f} in all; {summary.looked_at:,} judged twice"
    return f"impact of an edition on {ENTERPRISES:,}, s", said, "< 60"


async def searched(connection: asyncpg.Connection) -> tuple[str, str, str]:
    """The p99 of the first page of a search by a part of a name: two to four characters, half of them of some name."""
    chance = random.Random(5)
    await connection.execute("VACUUM ANALYZE enterprise")
    some = await connection.fetch("SELECT name FROM enterprise ORDER BY uscc LIMIT 10000")
    characters = list(policy.current().pinyin)
    took: list[float] = []
    for number in range(LOOK_UPS):
        name = chance.choice(some)["name"] if number % 2 else _name(chance, characters).full
        begin = chance.randint(0, 3)
        part = name[begin : begin + chance.randint(2, 4)]
        began = time.perf_counter()
        await search.enterprises(connection, search.Enterprises(words=part), None, 51)
        took.append((time.perf_counter() - began) * 1000)
    await connection.execute("TRUNCATE enterprise CASCADE")
    said = f"p50 {percentile(took, 0.5):.1f}, p99 {percentile(took, 0.99):.1f}, worst {max(took):.1f}"
    return f"search by name in {ENTERPRISES:,}, ms", said, "p99 <= 50"


async def taken_over(connection: asyncpg.Connection) -> tuple[str, str, str]:
    with TemporaryDirectory() as folder, Console(quiet=True).status("") as status:
        file = Path(folder) / "old.csv"
        with file.open("w", encoding="utf-8", newline="") as out:
            csv.writer(out).writerows([COLUMNS, *_old()])
        began = time.perf_counter()
        done = await importer.run(
            connection, file, file.with_suffix(".rejects"), policy.current(), BusinessClock(TODAY), status
        )
        rate = done.lines / (time.perf_counter() - began)
    return f"import of {done.entered:,} enterprises, a second", f"{rate:,.0f}", ">= 5,000"


def _old() -> Iterator[tuple[str, ...]]:
    chance = random.Random(4)
    characters = list(policy.current().pinyin)
    for number in range(ARRIVING):
        name = _name(chance, characters)
        yield (
            uscc_for(7_000_000 + number), name.division, name.trade_name, name.industry, name.form, "limited_company",
            "5000000.00", "CNY", "6210;5432", "310106012", "2015-06-30", "DE", "legal DE 60;legal CN 40",
        )  # fmt: skip
