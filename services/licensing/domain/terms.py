"""How long a decision on the ordinary way may take."""

from dataclasses import dataclass
from typing import Literal

from services.licensing.domain.catalogue import Catalogue, PermitItem


@dataclass(frozen=True, slots=True)
class Term:
    """`days` of this kind, and what they rest on."""

    days: int
    day_type: Literal["working", "calendar"]
    basis: str


def ordinary_term(row: PermitItem, catalogue: Catalogue) -> Term:
    """The term of the row; where the row states only the time on commitment, the term noted for it; else the default
    of the Administrative Licensing Law Art 42."""
    if row.statutory_days > 0 and row.day_type in ("working", "calendar"):
        return Term(row.statutory_days, "calendar" if row.day_type == "calendar" else "working", row.days_basis)
    noted = catalogue.ordinary_terms.get((row.item_id, row.part))
    if noted is not None:
        return Term(noted.working_days, "working", noted.basis)
    return Term(catalogue.days("ordinary_days"), "working", catalogue.settings["ordinary_days"].source)
