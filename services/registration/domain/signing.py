"""Who signs a form and by what: everybody who invests, and the legal representative.

A signature is given to what the form states, by its digest: what is changed is signed anew. The digest is over the form
with random ids in place of names (they never pass to others), so that a name that was deleted cannot be tried out.

Sources: Registration Rules (SAMR Order 52) Art 14-16; policy/signatures.csv. By what a signature is given here is the
district's own setting: docs/decisions/0023-who-signs.md.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Role = Literal["investor", "legal_representative"]
Way = Literal["account", "document", "declared"]
"""Under one's own sign-in; by a signed paper that was supplied; on the word of who files, who keeps the paper."""

LEGAL_REPRESENTATIVE = "legal_representative"
SIGNED_PAPER = "signed_form"
"""The kind of a document that holds a signature."""
NOT_SIGNED = frozenset({"name_grounds", "lacking", "known_as", "address_id"})
"""What the registry has added to the form."""


@dataclass(frozen=True, slots=True)
class Signer:
    """`field`: `investors.0` or `legal_representative`; `account`: under which they sign, where one is named."""

    field: str
    account: str | None = None

    @property
    def role(self) -> Role:
        return "legal_representative" if self.field == LEGAL_REPRESENTATIVE else "investor"

    @property
    def investor(self) -> int | None:
        return None if self.role == "legal_representative" else int(self.field.partition(".")[2])


@dataclass(frozen=True, slots=True)
class SigningRule:
    """Who has to sign; `declaration_suffices`: whether the word of who files will do where no account is named."""

    signer: Role
    declaration_suffices: bool
    source: str
    confidence: Literal["verified", "memory", "doubtful"]
    setting: Literal["own_setting"]
    note: str


class AlreadySigned(Exception):
    """This signature was given before."""


def given_by_filing(signer: Signer, filed_by: str, rules: Mapping[Role, SigningRule]) -> Way | None:
    """By what a signature is given when the form is filed; None: it is waited for."""
    if signer.account is not None:
        return "account" if signer.account == filed_by else None
    return "declared" if rules[signer.role].declaration_suffices else None


def waits(signers: Iterable[Signer], filed_by: str, rules: Mapping[Role, SigningRule]) -> bool:
    return any(given_by_filing(signer, filed_by, rules) is None for signer in signers)


def content(form: Mapping[str, Any], facts: Mapping[str, Any]) -> dict[str, Any]:
    """What is signed: all that the form states."""
    return {"form": {name: value for name, value in form.items() if name not in NOT_SIGNED}, "facts": dict(facts)}


def digest(signed: Mapping[str, Any]) -> str:
    """The SHA-256 of the content as JSON: names in order, no spaces, UTF-8."""
    text = json.dumps(signed, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
