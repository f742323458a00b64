"""The single form of establishment, its draft, and its signatures."""

from collections.abc import Callable
from typing import Annotated, Any
from uuid import UUID, uuid4

from pydantic import ConfigDict, Field, StringConstraints

from libs.common.web.fields import Day, Id
from services.registration import domain
from services.registration.domain import filed
from services.registration.domain.pseudonyms import of_address, of_party
from services.registration.domain.signing import LEGAL_REPRESENTATIVE, Signer
from services.registration.domain.structure import EnterpriseType, InvestorKind, TreatyClaim
from services.registration.forms.fields import (
    Account,
    Activities,
    Address,
    AreaCode,
    Capital,
    CountryCode,
    CurrencyCode,
    FieldPath,
    Form,
    PartyName,
    PermitFacts,
)
from services.registration.forms.investors import FounderForm
from services.registration.forms.names import EnterpriseNameForm


class ControllerForm(Form):
    """Who controls the enterprise in the end, and how."""

    name: PartyName
    kind: InvestorKind
    country: CountryCode
    control: filed.Control


class BeneficialOwnerForm(Form):
    """A person to whom it belongs in the end."""

    name: PartyName
    nationality: CountryCode


class ServiceAgentForm(Form):
    """Who receives papers of law in China for the foreign investors, and where."""

    name: PartyName
    kind: InvestorKind
    address: Address


class LegalRepresentativeForm(Form):
    """The legal representative. Nationality counts, not residence. `signer`: as of an investor."""

    name: PartyName
    nationality: CountryCode
    signer: Account | None = None


class TermForm(Form):
    """The term of operation; without `ends` it is open."""

    starts: Day
    ends: Day | None = None


APPLICATION_EXAMPLE: dict[str, Any] = {
    "enterprise_name": {"division": "上海", "trade_name": "青禾", "industry": "餐饮", "form": "有限公司"},
    "enterprise_type": "limited_company",
    "registered_capital": "5000000.00",
    "capital_currency": "CNY",
    "activities": ["6210", "5432"],
    "area": "310106012",
    "investors": [
        {"name": "Grünfeld Gastronomie GmbH", "kind": "legal", "country": "DE", "share": "60"},
        {"name": "上海禾苗商贸有限公司", "kind": "legal", "country": "CN", "share": "40"},
    ],
    "legal_representative": {"name": "Anna Weber", "nationality": "DE"},
    "term": {"starts": "2026-02-01", "ends": "2046-01-31"},
    "permit_facts": {"sells_liquor": True, "loose_or_processed_food": True, "prepackaged_only": False},
}

BATCH_EXAMPLE: list[dict[str, Any]] = [{"form": APPLICATION_EXAMPLE}, {"form": APPLICATION_EXAMPLE, "key": "ours-0002"}]


class ApplicationForm(Form):
    """The single form of establishment (单一表格). The main activity comes first; shares sum to exactly 100.

    `permit_facts`: answers to the questions that permits depend on; leave out what is not known. `draft_id`: the draft
    that this form was written in, which is deleted with the submission. `address`: house and room within the area.
    What is filed beside the registered items may be left out; the application then says what is lacking. Where a
    `signer` is named, the form is judged once that account has signed it (`POST /v1/applications/{id}/signatures`).
    """

    model_config = ConfigDict(json_schema_extra={"examples": [APPLICATION_EXAMPLE]})

    enterprise_name: EnterpriseNameForm
    enterprise_type: EnterpriseType
    registered_capital: Capital
    capital_currency: CurrencyCode
    activities: Activities
    area: AreaCode
    investors: Annotated[list[FounderForm], Field(min_length=1, max_length=50)]
    legal_representative: LegalRepresentativeForm
    term: TermForm | None = None
    treaty_claim: TreatyClaim | None = None
    permit_facts: PermitFacts = Field(default_factory=dict)
    draft_id: Id | None = None
    address: Address | None = None
    actual_controller: ControllerForm | None = None
    beneficial_owners: Annotated[list[BeneficialOwnerForm], Field(max_length=50)] = Field(default_factory=list)
    service_agent: ServiceAgentForm | None = None
    negative_list_commitment: bool = False

    def command(self, new_id: Callable[[], UUID] = uuid4, key: bytes | None = None) -> domain.SubmitApplication:
        """The act this form asks for. Names of people go to the parties, under fresh random ids, and nowhere else;
        `key` makes the opaque ids by which others may tell that two forms name the same."""
        investors = [domain.Party(new_id(), "investor", form.kind, form.name, form.country) for form in self.investors]
        representative = domain.Party(
            new_id(),
            "legal_representative",
            "natural",
            self.legal_representative.name,
            self.legal_representative.nationality,
        )
        stated, others = self._filed(new_id)
        parties = (*investors, representative, *others)
        application = domain.Application(
            name=self.enterprise_name.name(),
            enterprise_type=self.enterprise_type,
            registered_capital=self.registered_capital,
            capital_currency=self.capital_currency,
            activities=tuple(self.activities),
            area=self.area,
            investors=tuple(form.investor() for form in self.investors),
            investor_parties=tuple(party.party_id for party in investors),
            legal_representative=representative.party_id,
            legal_representative_nationality=self.legal_representative.nationality,
            term=domain.Term(self.term.starts, self.term.ends) if self.term else None,
            treaty_claim=self.treaty_claim,
            permit_facts=self.permit_facts,
            address=self.address,
            known_as={} if key is None else {party.party_id: of_party(party, key) for party in parties},
            address_id=None if key is None or not self.address else of_address(self.area, self.address, key),
            filed=stated,
        )
        signers = [Signer(f"investors.{position}", form.signer) for position, form in enumerate(self.investors)]
        signers.append(Signer(LEGAL_REPRESENTATIVE, self.legal_representative.signer))
        return domain.SubmitApplication(application, parties, tuple(signers))

    def _filed(self, new_id: Callable[[], UUID]) -> tuple[filed.Filed, list[domain.Party]]:
        """What is filed beside the registered items, and the parties that it names."""
        controller = agent = None
        if (one := self.actual_controller) is not None:
            controller = domain.Party(new_id(), "actual_controller", one.kind, one.name, one.country)
        owners = [
            domain.Party(new_id(), "beneficial_owner", "natural", form.name, form.nationality)
            for form in self.beneficial_owners
        ]
        if (receiver := self.service_agent) is not None:
            agent = domain.Party(new_id(), "service_agent", receiver.kind, receiver.name, "CN")
        parties = [party for party in (controller, *owners, agent) if party is not None]
        stated = filed.Filed(
            contributions=self._contributions(),
            actual_controller=controller.party_id if controller else None,
            control=self.actual_controller.control if self.actual_controller else None,
            beneficial_owners=tuple(party.party_id for party in owners),
            service_agent=agent.party_id if agent else None,
            service_address=self.service_agent.address if self.service_agent else None,
            negative_list_commitment=self.negative_list_commitment,
            countries={party.party_id: party.country for party in parties},
            kinds={party.party_id: party.kind for party in parties},
        )
        return stated, parties

    def _contributions(self) -> tuple[filed.Contribution | None, ...]:
        given = [form.contribution for form in self.investors]
        if not any(given):
            return ()
        return tuple(None if one is None else filed.Contribution(one.subscribed, tuple(one.forms)) for one in given)


SIGNATURE_EXAMPLE: dict[str, Any] = {
    "signer": "investors.0",
    "digest": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
}


class SignatureForm(Form):
    """A signature: whose, and the digest of the form as it was read. `document_id`: the signed paper, where who files
    brings it."""

    model_config = ConfigDict(json_schema_extra={"examples": [SIGNATURE_EXAMPLE]})

    signer: FieldPath
    digest: Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")]
    document_id: Id | None = None


DRAFT_EXAMPLE: dict[str, Any] = {"content": {"enterprise_name": {"trade_name": "青禾"}, "activities": ["6210"]}}


class DraftForm(Form):
    """A form that is not finished: any JSON object, up to 64 KiB."""

    model_config = ConfigDict(json_schema_extra={"examples": [DRAFT_EXAMPLE]})

    content: dict[str, Any]
