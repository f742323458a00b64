"""One story in examples: an enterprise, a task, a visit, a correction."""

from typing import Any

USCC = "91310106MA0000015B"
TASK_ID, DRAW_ID = "52b4b0f5-6c38-43b5-8f0c-0d4b6b0f5a11", "0b9a4e0e-9b73-4a0a-8d5f-3a9e1c7d2b44"
INSPECTION_ID, CORRECTION_ID = "9f1c2d34-5b6a-4c7d-8e9f-0a1b2c3d4e5f", "7a6b5c4d-3e2f-4a1b-9c8d-7e6f5a4b3c2d"
COMMITMENT_ID = "3c9a1f52-77d4-4a0e-b1c6-5d2e8f9a0b13"
HASH = "7e377a5d2c72c09cebe5c44d0232b04fe47cdd1fbccad481fde4db6d7f812323"
JWS = "eyJhbGciOiJFZDI1NTE5In0.eyJkcmF3X2lkIjoiMGI5YSJ9.c2lnbmF0dXJl"
SHOWN_CODE = "5f2d9c1e8b7a43d6905e1c2b3a4f5d6e"
INSPECTOR: dict[str, Any] = {
    "account": "inspector-1", "department": "market_regulation", "conflicts": [USCC], "available": True,
}  # fmt: skip
PLAN: dict[str, Any] = {
    "code_set": "joint_inspection", "items": ["P001"], "legal_basis": "guofa_2019_5", "activities": ["62"],
}  # fmt: skip
TASK: dict[str, Any] = {**PLAN, "ratios": {"A": 1, "B": 5, "C": "12.5", "D": 100}, "scheme": None, "on": "2026-01-12"}
TASK_VIEW: dict[str, Any] = {
    "id": TASK_ID, "draw_id": DRAW_ID, **PLAN, "departments": ["market_regulation"], "kind": "key",
    "ratios": {"A": "1", "B": "5", "C": "12.5", "D": "100"}, "scheme": None, "on": "2026-01-12",
    "filed_on": "2026-01-05", "commitment": HASH, "drawn_on": None, "inspections": 0,
}  # fmt: skip
PUBLIC: dict[str, Any] = {
    "draw_id": DRAW_ID, "task_id": TASK_ID, **PLAN, "departments": ["market_regulation"], "filed_on": "2026-01-05",
    "planned_on": "2026-01-12", "drawn_on": "2026-01-12", "commitment": HASH, "library_size": 40,
    "library_digest": HASH, "objects": [USCC], "inspectors_per_visit": 2, "record_digest": HASH, "jws": JWS,
}  # fmt: skip
RESULTS = [{"code_set": "joint_inspection", "code": "09"}]
INSPECTION: dict[str, Any] = {
    "id": INSPECTION_ID, "code": SHOWN_CODE, "uscc": USCC, "task_id": None, "reason": "commitment_check",
    "commitment_id": COMMITMENT_ID, "item_id": "P033", "code_set": "joint_inspection", "items": ["P033"],
    "legal_basis": "guobanfa_2020_42", "departments": ["fire_and_rescue"], "inspectors": ["inspector-1", "inspector-4"],
    "assigned_on": "2026-01-12", "state": "completed", "results": RESULTS, "reported_on": "2026-01-13",
    "completed_on": "2026-01-13", "publish_by": "2026-02-10", "publish_by_provisional": False, "published_on": None,
    "version": 3,
}  # fmt: skip
CORRECTION: dict[str, Any] = {
    "id": CORRECTION_ID, "inspection_id": INSPECTION_ID, "uscc": USCC, "commitment_id": COMMITMENT_ID,
    "ordered_on": "2026-01-13", "due_on": "2026-02-03", "due_on_provisional": False, "state": "ordered",
    "overdue_on": None, "met_on": None, "version": 1,
}  # fmt: skip
