"""Values that the examples of the interface description share."""

from typing import Any

USCC = "91310106MA0000015B"
DIGEST = "30be888c891894305405533bfa23f9b1b025dec05a604bc1ec78bcbb5ef9021c"
PERMIT_ID = "a52ea1f4-4f2f-5d0e-9d0f-6a2b6c2f9b11"
APPLICATION_ID = "0b6d0f0e-6b1c-4a3b-9d59-6a1c7d9d5f10"
COMMITMENT_ID = "5f0c3f60-6d5b-4c6e-8f86-3b3a1c2d4e5f"
NOTIFICATION_ID = "c2f5d5a8-53f6-5f2b-8a0e-0c9f6b7d8e9a"
REQUIREMENT: dict[str, Any] = {
    "item_id": "P033",
    "part": 2,
    "item": "Fire safety inspection before public venues open",
    "item_zh": "公众聚集场所投入使用、营业前消防安全检查",
    "item_en": "Fire safety inspection before public venues open",
    "status": "permit",
    "mode": "notification_commitment",
    "mode_confidence": "verified",
    "offers_commitment": True,
    "department": "fire_and_rescue",
    "department_name": "fire and rescue",
    "level": "district",
    "days": 0,
    "day_type": "on the spot",
    "days_basis": "not_applicable",
    "valid_from": "2021-04-29",
    "valid_to": None,
    "dates_confidence": "verified",
    "basis": "Fire Law Art 15, 73(3) (commitment or inspection in 10 working days)",
    "source": "github:LawRefBook/Laws (commit 2f4c5c2)",
    "confidence": "verified",
    "note": "after commitment the fire body must check; applicant may instead ask for prior inspection",
    "due": "yes",
    "why": [{"activity": "6210", "trigger": "6210"}],
    "holds": [],
    "questions": [],
    "blocks_start": True,
}
CATALOGUE: dict[str, Any] = {"items": 143, "of": 523}
