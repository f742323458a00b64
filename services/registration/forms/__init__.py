"""Request bodies, by form. They are strict: nothing unknown, nothing coerced, everything bounded."""

from services.registration.forms.changes import (
    CHANGE_EXAMPLE,
    CorrectedForm,
    DeregistrationForm,
    EnterpriseChangeForm,
    HistoryCorrectionForm,
)
from services.registration.forms.establishment import (
    APPLICATION_EXAMPLE,
    BATCH_EXAMPLE,
    ApplicationForm,
    DraftForm,
    LegalRepresentativeForm,
    SignatureForm,
    TermForm,
)
from services.registration.forms.false_registration import (
    FalseRegistrationForm,
    FalseRegistrationRulingForm,
    ObjectionForm,
)
from services.registration.forms.hand_over import AnswerForm, HandOverForm
from services.registration.forms.investors import FounderForm
from services.registration.forms.names import EnterpriseNameForm, NameForm, NameReservationForm
from services.registration.forms.reports import AnnualReportForm, ChangeReportForm, LegacyFormForm, ReportOrderForm
from services.registration.forms.review import (
    CorrectionsForm,
    CountersignatureForm,
    DeregistrationRulingForm,
    ExtensionForm,
    RulingForm,
)
from services.registration.forms.screening import SCREENING_EXAMPLE, ScreeningForm

__all__ = [
    "APPLICATION_EXAMPLE",
    "BATCH_EXAMPLE",
    "CHANGE_EXAMPLE",
    "SCREENING_EXAMPLE",
    "AnnualReportForm",
    "AnswerForm",
    "ApplicationForm",
    "ChangeReportForm",
    "CorrectedForm",
    "CorrectionsForm",
    "CountersignatureForm",
    "DeregistrationForm",
    "DeregistrationRulingForm",
    "DraftForm",
    "EnterpriseChangeForm",
    "EnterpriseNameForm",
    "ExtensionForm",
    "FalseRegistrationForm",
    "FalseRegistrationRulingForm",
    "FounderForm",
    "HandOverForm",
    "HistoryCorrectionForm",
    "LegacyFormForm",
    "LegalRepresentativeForm",
    "NameForm",
    "NameReservationForm",
    "ObjectionForm",
    "ReportOrderForm",
    "RulingForm",
    "ScreeningForm",
    "SignatureForm",
    "TermForm",
]
