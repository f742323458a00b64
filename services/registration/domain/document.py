"""Documents that an applicant supplies with a form: what they are, whose, how sure their bytes are.

Sources: Registration Rules (SAMR Order 52) Art 24 (identity of foreign investors is notarised and authenticated; an
apostille takes its place where the convention applies). Types and the number of files are the district's own setting.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from services.registration.domain.application import Fault, FormReturned
from services.registration.domain.structure import Investor

Kind = Literal[
    "identity_proof", "articles_of_association", "domicile_proof", "appointment", "permit", "signed_form", "other"
]
Proof = Literal["notarised", "apostilled"]

MOST = 50
"""Documents that one application may have."""

SIGNATURES = {
    "application/pdf": b"%PDF-",
    "image/png": b"\x89PNG\r\n\x1a\n",
    "image/jpeg": b"\xff\xd8\xff",
}
"""The types that are taken, and what a file of each begins with."""


@dataclass(frozen=True, slots=True)
class Document:
    """`investor`: the position of the investor whose identity it proves."""

    kind: Kind
    media_type: str
    content: bytes
    sha256: str
    investor: int | None = None
    proof: Proof | None = None
    stated_sha256: str | None = None


def checked(document: Document, investors: tuple[Investor, ...], have: int) -> Document:
    """The document itself, or FormReturned with every fault."""
    if found := tuple(_faults(document, investors, have)):
        raise FormReturned(found)
    return document


def _faults(document: Document, investors: tuple[Investor, ...], have: int) -> Iterator[Fault]:
    if have >= MOST:
        yield Fault("", "documents_too_many", {"limit": str(MOST)})
    if not document.content:
        yield Fault("", "document_empty")
    elif not document.content.startswith(SIGNATURES[document.media_type]):
        yield Fault("", "document_of_another_type", {"stated": document.media_type})
    if document.stated_sha256 is not None and document.stated_sha256 != document.sha256:
        yield Fault("sha256", "document_changed_on_its_way", {"arrived": document.sha256})
    if document.investor is not None and document.investor >= len(investors):
        yield Fault("investor", "investor_unknown", {"last": str(len(investors) - 1)})
    elif document.kind == "identity_proof":
        if document.investor is None:
            yield Fault("investor", "investor_missing")
        elif investors[document.investor].country != "CN" and document.proof is None:
            yield Fault("proof", "proof_missing")
