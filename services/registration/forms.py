"""Request bodies. They are strict: nothing unknown, nothing coerced, everything bounded."""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID, uuid4

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

from libs.common.web.fields import Day
from services.registration import domain
from services.registration.domain.corrections import Correction
from services.registration.domain.standing import Procedure
from services.registration.domain.structure import EnterpriseType, InvestorKind, TreatyClaim

CAPITAL_DIGITS, CAPITAL_PLACES = 15, 2
SHARE_DIGITS, SHARE_PLACES = 3, 4

# Control characters, line and paragraph separators, and the marks that turn the direction of what follows.
_UNPRINTABLE = r"\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069\ufeff"
_PRINTABLE = re.compile(f"[^{_UNPRINTABLE}]*")


def _printable(value: str) -> str:
    if not _PRINTABLE.fullmatch(value):
        raise PydanticCustomError("text_not_printable", "control characters are not allowed")
    return value


def _decimal(digits: int, places: int) -> Callable[[Any], Decimal]:
    pattern = re.compile(rf"(0|[1-9][0-9]{{0,{digits - 1}}})(\.([0-9]+))?")

    def read(value: Any) -> Decimal:
        if isinstance(value, Decimal):
            value = f"{value:f}"
        if not isinstance(value, str):
            raise PydanticCustomError("decimal_not_text", "write the number as text")
        match = pattern.fullmatch(value) if len(value) < 64 else None
        if match is None:
            raise PydanticCustomError("decimal_format", "not a plain decimal number", {"digits": digits})
        if len(match[3] or "") > places:
            raise PydanticCustomError("decimal_too_many_places", "too many decimal places", {"places": places})
        return Decimal(value)

    return read


def _decimal_schema(digits: int, places: int) -> dict[str, Any]:
    pattern = rf"^(0|[1-9][0-9]{{0,{digits - 1}}})(\.[0-9]{{1,{places}}})?$"
    return {"type": "string", "pattern": pattern, "description": "a decimal number as text, so that it stays exact"}


def _uuid(value: Any) -> UUID:
    if isinstance(value, UUID):
        return value
    try:
        if isinstance(value, str):
            return UUID(value)
    except ValueError:
        pass
    raise PydanticCustomError("uuid_parsing", "not a UUID")


def _length(minimum: int, maximum: int) -> StringConstraints:
    return StringConstraints(strip_whitespace=True, min_length=minimum, max_length=maximum)


def _documented(pattern: str) -> Any:
    """A pattern for the readers of the API. Codes are looked up by the domain, which says better what to mend."""
    return Field(json_schema_extra={"pattern": f"^{pattern}$"})


Printable = AfterValidator(_printable)
Text = _documented(f"[^{_UNPRINTABLE}]*")

NamePart = Annotated[str, _length(1, 60), Printable, Text]
PartyName = Annotated[str, _length(1, 200), Printable, Text]
ActivityCode = Annotated[str, _length(1, 4), Printable, _documented("[0-9]{4}")]
AreaCode = Annotated[str, _length(1, 12), Printable, _documented("310106[0-9]{3}")]
CountryCode = Annotated[str, _length(2, 2), Printable, _documented("[A-Z]{2}")]
CurrencyCode = Annotated[str, _length(3, 3), Printable, _documented("[A-Z]{3}")]
FactCode = Annotated[str, StringConstraints(pattern="^[a-z0-9_]{1,40}$")]
PermitFacts = Annotated[dict[FactCode, bool], Field(max_length=40)]
DraftId = Annotated[UUID, BeforeValidator(_uuid), WithJsonSchema({"type": "string", "format": "uuid"})]
Words = Annotated[str, _length(1, 2_000), Printable, Text]
FieldPath = Annotated[str, _length(1, 80), Printable, _documented("[a-z_]+([.][a-z0-9_]+)*")]
GroupLabel = Annotated[str, _length(1, 20), Printable, Text]
Activities = Annotated[list[ActivityCode], Field(min_length=1, max_length=50)]
Capital = Annotated[
    Decimal,
    BeforeValidator(_decimal(CAPITAL_DIGITS, CAPITAL_PLACES)),
    WithJsonSchema(_decimal_schema(CAPITAL_DIGITS, CAPITAL_PLACES)),
]
Share = Annotated[
    Decimal,
    BeforeValidator(_decimal(SHARE_DIGITS, SHARE_PLACES)),
    WithJsonSchema(_decimal_schema(SHARE_DIGITS, SHARE_PLACES)),
]


class Form(BaseModel):
    """A body that people send: unknown fields are refused and inputs are not repeated in errors."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


class EnterpriseNameForm(Form):
    """The four parts of the name: division, trade name, industry, form."""

    division: NamePart
    trade_name: NamePart
    industry: NamePart
    form: NamePart


class InvestorForm(Form):
    """One investor. `share` in percent; `is_fie`: an enterprise in China that itself has foreign investors.

    Investors that are affiliates of one another carry the same `affiliate_group`, a label of the applicant's choice.
    """

    name: PartyName
    kind: InvestorKind
    country: CountryCode
    share: Share
    is_fie: bool = False
    settled_abroad: bool = False
    affiliate_group: GroupLabel | None = None

    def investor(self) -> domain.Investor:
        return domain.Investor(
            self.kind, self.country, self.share, self.is_fie, self.settled_abroad, self.affiliate_group
        )


class LegalRepresentativeForm(Form):
    """The legal representative. Nationality counts, not residence."""

    name: PartyName
    nationality: CountryCode


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
CHANGE_EXAMPLE: dict[str, Any] = {"registered_capital": "8000000.00", "capital_currency": "CNY"}


class ApplicationForm(Form):
    """The single form of establishment (单一表格). The main activity comes first; shares sum to exactly 100.

    `permit_facts`: answers to the questions that permits depend on; leave out what is not known. `draft_id`: the draft
    that this form was written in, which is deleted with the submission.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [APPLICATION_EXAMPLE]})

    enterprise_name: EnterpriseNameForm
    enterprise_type: EnterpriseType
    registered_capital: Capital
    capital_currency: CurrencyCode
    activities: Activities
    area: AreaCode
    investors: Annotated[list[InvestorForm], Field(min_length=1, max_length=50)]
    legal_representative: LegalRepresentativeForm
    term: TermForm | None = None
    treaty_claim: TreatyClaim | None = None
    permit_facts: PermitFacts = Field(default_factory=dict)
    draft_id: DraftId | None = None

    def command(self, new_id: Callable[[], UUID] = uuid4) -> domain.SubmitApplication:
        """The act this form asks for. Names of people go to the parties, under fresh random ids, and nowhere else."""
        investors = [domain.Party(new_id(), "investor", form.kind, form.name, form.country) for form in self.investors]
        representative = domain.Party(
            new_id(),
            "legal_representative",
            "natural",
            self.legal_representative.name,
            self.legal_representative.nationality,
        )
        name = self.enterprise_name
        application = domain.Application(
            name=domain.EnterpriseName(name.division, name.trade_name, name.industry, name.form),
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
        )
        return domain.SubmitApplication(application, (*investors, representative))


class EnterpriseChangeForm(Form):
    """A change of registered items: at least one; capital and currency go together."""

    model_config = ConfigDict(json_schema_extra={"examples": [CHANGE_EXAMPLE], "minProperties": 1})

    area: AreaCode | None = None
    registered_capital: Capital | None = None
    capital_currency: CurrencyCode | None = None
    activities: Activities | None = None
    legal_representative_nationality: CountryCode | None = None

    def command(self) -> domain.EnterpriseChange:
        """The act this form asks for."""
        return domain.EnterpriseChange(
            area=self.area,
            registered_capital=self.registered_capital,
            capital_currency=self.capital_currency,
            activities=None if self.activities is None else tuple(self.activities),
            legal_representative_nationality=self.legal_representative_nationality,
        )


DRAFT_EXAMPLE: dict[str, Any] = {"content": {"enterprise_name": {"trade_name": "青禾"}, "activities": ["6210"]}}
CORRECTIONS_EXAMPLE: dict[str, Any] = {
    "fields": [{"field": "investors.0.share", "words": "请按验资报告填写出资比例。"}],
}
RULING_EXAMPLE: dict[str, Any] = {"outcome": "register", "reason": "已核对电信业务范围，属于增值电信业务承诺范围。"}


class DraftForm(Form):
    """A form that is not finished: any JSON object, up to 64 KiB."""

    model_config = ConfigDict(json_schema_extra={"examples": [DRAFT_EXAMPLE]})

    content: dict[str, Any]


class CorrectionForm(Form):
    """A field of the form by its path, and what is to be corrected about it."""

    field: FieldPath
    words: Words


class CorrectionsForm(Form):
    """What the applicant is to correct, field by field."""

    model_config = ConfigDict(json_schema_extra={"examples": [CORRECTIONS_EXAMPLE]})

    fields: Annotated[list[CorrectionForm], Field(min_length=1, max_length=50)]

    def asked(self) -> list[Correction]:
        return [Correction(one.field, one.words) for one in self.fields]


class RulingForm(Form):
    """An officer's decision on an application, with its reason."""

    model_config = ConfigDict(json_schema_extra={"examples": [RULING_EXAMPLE]})

    outcome: Literal["register", "refuse"]
    reason: Words


class ExtensionForm(Form):
    """Why a decision needs more time."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "complex_case"}]})

    reason: Literal["complex_case", "opinion_sought"]


class DeregistrationForm(Form):
    """By which procedure the enterprise leaves the register."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"procedure": "simplified"}]})

    procedure: Procedure


class DeregistrationRulingForm(Form):
    """An officer's decision on a general deregistration, with its reason."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"outcome": "deregister", "reason": "清算报告和清税证明齐全。"}]}
    )

    outcome: Literal["deregister", "refuse"]
    reason: Words
