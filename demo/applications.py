"""Made-up forms of establishment over the real industry classes of GB/T 4754-2017: seeded, so every run tells the same.

Every trade name begins with 示例 (example): no such enterprise exists.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

POLICY = Path(__file__).parents[1] / "services" / "registration" / "policy"

# What foreign-invested enterprises of an inner district do, by section of GB/T 4754; the weights are made up.
SECTIONS = {"L": 30, "F": 28, "M": 14, "I": 11, "H": 7, "K": 3, "R": 2, "C": 2, "J": 1, "P": 1, "Q": 1}
COUNTRIES = {"HK": 40, "SG": 12, "US": 9, "JP": 9, "DE": 7, "TW": 6, "GB": 5, "KR": 4, "FR": 4, "NL": 2, "AU": 2}
CAPITALS = {"500000.00": 25, "1000000.00": 25, "5000000.00": 30, "10000000.00": 15, "50000000.00": 5}
FOREIGN_SHARES = {"100": 65, "60": 15, "51": 10, "49": 10}
FIGURES = "〇一二三四五六七八九"
SYLLABLES = "青禾云帆晨星海棠瑞木长风知行白露明川听雨南山"


def _table(name: str) -> list[dict[str, str]]:
    with (POLICY / name).open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def industries() -> dict[str, list[dict[str, str]]]:
    """The classes (four digits) of each section."""
    classes = [row for row in _table("industries_gbt4754.csv") if row["level"] == "4"]
    return {section: [row for row in classes if row["section"] == section] for section in SECTIONS}


def streets() -> list[str]:
    """The streets of Jing'an (310106)."""
    return [row["code"] for row in _table("areas_shanghai.csv") if row["parent_code"] == "310106"]


def _one(weighted: dict[str, int], chance: random.Random) -> str:
    return chance.choices(list(weighted), list(weighted.values()))[0]


def forms(seed: int) -> Iterator[dict[str, Any]]:
    """An endless stream of forms, each with a name of its own; every fifth has the owners of the one before."""
    chance = random.Random(seed)
    classes, areas = industries(), streets()
    for number in count(1):
        section = _one(SECTIONS, chance)
        main, other = chance.sample(classes[section], 2)
        share = _one(FOREIGN_SHARES, chance)
        country = _one(COUNTRIES, chance)
        trade_name = f"示例{''.join(chance.sample(SYLLABLES, 2))}{numeral(number)}"
        owners = str(number - (number % 5 == 0))
        yield {
            "enterprise_name": _name(trade_name, _written(main["name_zh"])[:20]),
            "enterprise_type": "limited_company",
            "registered_capital": _one(CAPITALS, chance),
            "capital_currency": "USD" if chance.random() < 0.1 else "CNY",
            "activities": [main["code"], *([other["code"]] if chance.random() < 0.3 else [])],
            "area": chance.choice(areas),
            "investors": _investors(country, share, owners),
            "legal_representative": {"name": f"Example Person {owners}", "nationality": chance.choice([country, "CN"])},
        }


def numeral(number: int) -> str:
    """A number as a name may hold it: a name is written in Chinese characters."""
    return "".join(FIGURES[int(digit)] for digit in str(number))


def _written(words: str) -> str:
    """Without what no name may hold, such as the figures of 三维（3D）打印."""
    return "".join(character for character in words if "一" <= character <= "龥")


def _name(trade_name: str, industry: str) -> dict[str, str]:
    return {"division": "上海", "trade_name": trade_name, "industry": industry, "form": "有限公司"}


def _investors(country: str, share: str, owners: str) -> list[dict[str, Any]]:
    holding = {"name": f"Example Holding {owners} Ltd", "kind": "legal", "country": country, "share": share}
    if share == "100":
        return [holding]
    partner = f"上海示例{owners}商贸有限公司"
    return [holding, {"name": partner, "kind": "legal", "country": "CN", "share": str(100 - int(share))}]


def change(form: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    """A change of registered items: mostly the address, sometimes capital, activities or the legal representative."""
    kind = _one({"area": 45, "capital": 25, "activities": 15, "representative": 15}, chance)
    if kind == "area":
        return {"area": chance.choice([code for code in streets() if code != form["area"]])}
    if kind == "capital":
        return {"registered_capital": _one(CAPITALS, chance), "capital_currency": form["capital_currency"]}
    if kind == "activities":
        return {"activities": [*form["activities"], "7281"] if "7281" not in form["activities"] else ["7281"]}
    return {"legal_representative_nationality": chance.choice(["CN", "HK", "SG"])}


def restaurant_form() -> dict[str, Any]:
    """A restaurant that a German and a Chinese company run together; its one activity touches all four reform modes."""
    return {
        "enterprise_name": _name("示例青禾", "餐饮"),
        "enterprise_type": "limited_company",
        "registered_capital": "8000000.00",
        "capital_currency": "CNY",
        "activities": ["6210"],
        "area": "310106012",
        "investors": _investors("DE", "60", "青禾"),
        "legal_representative": {"name": "Example Person", "nationality": "DE"},
        "permit_facts": {"sells_liquor": True},
    }


def fishery_form() -> dict[str, Any]:
    return {
        **restaurant_form(),
        "enterprise_name": _name("示例远帆", "内陆捕捞"),
        "activities": ["0422"],
        "permit_facts": {},
    }


def telecom_form() -> dict[str, Any]:
    """Internet access with 40 % foreign capital: the cap is met, the WTO commitments are for a person to read."""
    return {
        **restaurant_form(),
        "enterprise_name": _name("示例知行", "互联网信息服务"),
        "registered_capital": "10000000.00",
        "activities": ["6410"],
        "investors": _investors("SG", "40", "知行"),
        "legal_representative": {"name": "Example Person", "nationality": "CN"},
        "permit_facts": {},
    }
