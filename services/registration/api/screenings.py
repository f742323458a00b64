"""A plan put to the negative list before anything is filed."""

from libs.common.web import Anyone, QuestionRoute, TheClock, TheLanguage, router
from services.registration import domain, forms, use_cases, views
from services.registration.api.arguments import ThePolicy

api = router(route_class=QuestionRoute)


@api.post("/screenings", tags=["screenings"])
async def try_a_plan(
    body: forms.ScreeningForm, _: Anyone, law: ThePolicy, clock: TheClock, language: TheLanguage
) -> views.DecisionView:
    """Screen a plan against the negative list as an application would be screened, for any day: a dry run for anyone.
    Nothing is filed and nothing is kept; `explanation` cites each row of the list that was asked, and its source."""
    facts = domain.checked_facts(body.facts(), law)
    decision = domain.judge(facts, law, body.on or clock.today())
    return views.DecisionView.recorded(use_cases.recorded(decision), language)
