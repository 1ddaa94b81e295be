"""The summary of a finished onboarding, as a PDF. Drawing takes processor time: call it in a thread."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from shared.areas import fonts
from shared.areas.onboarding.models import ACCESS_STEPS, CONTACT

if TYPE_CHECKING:
    from fpdf import FPDF

Pairs = Iterable[tuple[str, str]]


def file_name(email: str, at: datetime) -> str:
    """``anchor_onboarding_<e-mail>_<ms>.pdf``."""
    return f"anchor_onboarding_{re.sub('[^A-Za-z0-9]', '_', email)}_{int(at.timestamp() * 1000)}.pdf"


def sections(state: Mapping[str, Any]) -> list[tuple[str, list[tuple[str, str]]]]:
    """What the summary says, from §Onboarding: a heading and its (label, value) lines each."""
    user, profile, brand = state["user"], state["profile"], state["brand"] or {}
    account = [("Name", f"{user['first_name']} {user['last_name']}".strip()), ("E-mail", user["email"])]
    goal = [("Monthly revenue goal", profile["monthly_revenue_goal"])]
    contact = [(_words(name), profile[name]) for name in CONTACT]
    texts = [
        (_words(name), brand.get(name))
        for name in ("business_name", "business_description", "primary_brand_colors", "website_url", "brand_notes")
    ]
    files = [("Files", ", ".join(asset["name"] for asset in brand.get("logos", [])))]
    access = [(_words(name.removesuffix("_status")), _words(profile[name])) for name in ACCESS_STEPS.values()]
    more = [("Google Ads account", profile["google_ads_account_id"]), ("Notes", profile["website_forms_notes"])]
    services = [
        (service["name"], service["description"] or service["base_price"] or "–")
        for service in state["services"]
        if service["active"]
    ]
    told = [
        ("Account", account),
        ("Profile", goal + contact),
        ("Brand", texts + files),
        ("Access", access + more),
        ("Services", services),
    ]
    return [(heading, [(label, str(value)) for label, value in pairs if value]) for heading, pairs in told]


def render(state: Mapping[str, Any], *, completed_at: datetime) -> bytes:
    """The summary of §Onboarding on A4."""
    pdf = _page()
    pdf.set_font("Roboto", "B", 20)
    pdf.cell(text="Anchor – Onboarding summary", new_x="LMARGIN", new_y="NEXT")
    pdf.set_font("Roboto", "", 10)
    pdf.cell(text=f"Completed {completed_at:%B %d, %Y, %H:%M} UTC", new_x="LMARGIN", new_y="NEXT")
    for heading, pairs in sections(state):
        _section(pdf, heading, pairs)
    return bytes(pdf.output())


def _section(pdf: FPDF, heading: str, pairs: list[tuple[str, str]]) -> None:
    pdf.ln(6)
    pdf.set_font("Roboto", "B", 13)
    pdf.cell(text=heading, new_x="LMARGIN", new_y="NEXT")
    pdf.ln(1)
    for label, value in pairs or [("–", "Nothing was given.")]:
        top = pdf.get_y()
        if top > pdf.h - 30:
            pdf.add_page()
            top = pdf.get_y()
        pdf.set_font("Roboto", "B", 10)
        pdf.multi_cell(60, 5.5, label, new_x="LMARGIN", new_y="TOP", align="L")
        pdf.set_xy(pdf.l_margin + 62, top)
        pdf.set_font("Roboto", "", 10)
        pdf.multi_cell(0, 5.5, value, new_x="LMARGIN", new_y="NEXT", align="L")


def _page() -> FPDF:
    from fpdf import FPDF

    pdf = FPDF(format="A4")
    pdf.set_title("Onboarding summary")
    pdf.set_auto_page_break(True, margin=18)
    fonts.add_to(pdf)
    pdf.add_page()
    return pdf


def _words(name: str) -> str:
    return name.replace("_", " ").capitalize() if name else ""
