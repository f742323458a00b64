"""The sign-in page: one button for each demo person, grouped by role; it works without a script."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from html import escape
from itertools import groupby

from deploy.local.issuer.people import CITY, Person
from libs.common.problems import Language

STYLE = """
body { font: 1rem/1.5 system-ui, "Noto Sans CJK SC", sans-serif; color: #0b0c0c; background: #fff; margin: 0 }
main { max-width: 44rem; margin: 0 auto; padding: 2rem 1rem }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 .5rem } h2 { font-size: 1.1rem; margin: 1.5rem 0 .5rem }
button { font: inherit; display: block; width: 100%; text-align: left; padding: .6rem .8rem; margin: 0 0 .4rem;
  color: #fff; background: #1d4d8f; border: 0; border-radius: .25rem; cursor: pointer }
button:hover { background: #123a70 } button:focus-visible { outline: 3px solid #ffb000; outline-offset: 2px }
.note { border-left: .3rem solid #b58800; padding: .2rem .8rem; margin: 1rem 0 }
"""
_DIGEST = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
POLICY = f"default-src 'none'; style-src 'sha256-{_DIGEST}'; base-uri 'none'; frame-ancestors 'none'"

WORDS: Mapping[Language, tuple[str, str, str]] = {
    "zh": ("zh-CN", "登录一窗（演示）", "这里的人员均为演示而设。请选择一位。"),
    "en": ("en", "Sign in to One Window (demo)", "These people are made up for the demonstration. Choose one."),
}
ROLES: Mapping[str, tuple[str, str]] = {
    "applicant": ("申请人", "Applicants"),
    "agent": ("代理人", "Agents"),
    "registrar": ("登记官", "Registrars"),
    "licensing_officer": ("许可官", "Licensing officers"),
    "supervisor": ("监管负责人", "Supervisors"),
    "inspector": ("检查员", "Inspectors"),
    "credit_officer": ("信用官", "Credit officers"),
    "risk_analyst": ("风险分析员", "Risk analysts"),
    "regulator": ("监管机关", "Regulators"),
    "auditor": ("审计员", "Auditors"),
    "operator": ("运维人员", "Operators"),
}

UNKNOWN_CLIENT = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Unknown client</title>
<main><h1>无法登录 / Unknown client</h1><p>client_id must be lobby and redirect_uri an http address on this machine.</p>
</main></html>"""


def sign_in(language: Language, everybody: Sequence[Person], asked: Mapping[str, str]) -> str:
    """The page in one language. What the client asked for goes along in hidden fields."""
    code, title, note = WORDS[language]
    hidden = "".join(f'<input type="hidden" name="{escape(n)}" value="{escape(v)}">' for n, v in asked.items())
    groups = "".join(
        f"<h2>{escape(ROLES[role][language == 'en'])}</h2>{''.join(_button(one, language) for one in group)}"
        for role, group in groupby((one for one in everybody if one.subject != CITY), lambda one: one.roles[0])
    )
    return (
        f'<!doctype html><html lang="{code}"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style></head>'
        f'<body><main><h1>{title}</h1><p class="note">{note}</p>'
        f'<form method="post" action="/authorize">{hidden}{groups}</form></main></body></html>'
    )


def _button(one: Person, language: Language) -> str:
    name = one.zh if language == "zh" else one.en
    return f'<button name="person" value="{escape(one.subject)}">{escape(name)}</button>'
