"""Submissions and blank forms on paper: the author's own print template, and PDFs.

Drawing takes processor time: call ``draw_…`` in a thread. A PDF that a visitor's words go into holds them as text only.
"""

from __future__ import annotations

import html
import json
import logging
import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final
from uuid import UUID

from shared.areas import fonts
from shared.areas.forms import rules
from shared.areas.forms.models import Attribution, FormField, FormSchema, JsonObject, as_dict
from shared.errors import Invalid

if TYPE_CHECKING:
    from fpdf import FPDF

MARGIN: Final = 50.0  # points
LABEL_WIDTH: Final = 150.0
_PLACEHOLDER = re.compile(r"{{\s*([^{}]{1,200}?)\s*}}")
_OPENED = re.compile(r"<(?:(?P<comment>!--)|(?P<code>script|style)(?=[\s/>])|[a-z/!?])", re.IGNORECASE)
_REST_OF_TAG = re.compile(r"""(?:[^"'>]|"[^"]*+"|'[^']*+')*+>""")


def slug(name: str) -> str:
    """A form's name as the beginning of a file's."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:60] or "form"


# --- the author's template --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Template:
    """``schema.printable`` of a version: markup with ``{{field_name}}`` where answers go, style, and a script."""

    html: str
    css: str
    js: str


def template_of(schema: object) -> Template:
    """The version's template; Invalid when it has none."""
    told = as_dict(as_dict(schema).get("printable"))
    parts = [text if isinstance(text := told.get(name), str) else "" for name in ("html", "css", "js")]
    if not parts[0].strip():
        raise Invalid("This version of the form has no print template.", code="NO_PRINT_TEMPLATE")
    return Template(*parts)


def page(
    template: Template, answers: Mapping[str, object], *, title: str, opens_dialog: bool
) -> tuple[str, dict[str, str]]:
    """The template with the answers in it; its HTML and headers.

    Answers are text between tags, never markup, address or script. The page has an origin of its own and may load
    nothing, so that neither they nor the template can act for the member of staff who looks at it.
    """
    nonce = secrets.token_urlsafe(16)
    scripts = [template.js] if template.js.strip() else []
    scripts += ['window.addEventListener("load", function () { window.print(); });'] if opens_dialog else []
    content = "\n".join(
        (
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            f"<title>{html.escape(title)}</title>",
            f"<style>{_inside(template.css)}</style>\n</head>\n<body>",
            filled(template.html, answers),
            *(f'<script nonce="{nonce}">{_inside(one)}</script>' for one in scripts),
            "</body>\n</html>\n",
        )
    )
    policy = (
        "sandbox allow-scripts allow-modals; default-src 'none'; base-uri 'none'; form-action 'none'; "
        f"style-src 'unsafe-inline'; img-src data:; font-src data:; script-src 'nonce-{nonce}'; frame-ancestors 'self'"
    )
    headers = {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": policy,
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
    }
    return content, headers


def filled(markup: str, answers: Mapping[str, object]) -> str:
    """*markup* with each ``{{key}}`` between its tags replaced by the answer, as text; unknown keys become nothing."""

    def answer(found: re.Match[str]) -> str:
        text = rules.answer_text(answers.get(found[1]))
        return html.escape(text).replace("{", "&#123;").replace("\n", "<br>")

    def told(text: str) -> str:
        return _PLACEHOLDER.sub(answer, text.replace("<", "&lt;"))  # no tag: an answer behind it could make it one

    parts: list[str] = []
    at = 0
    for start, end in _tags(markup):
        parts += [told(markup[at:start]), "" if markup.startswith("<!", start) else markup[start:end]]
        at = end
    return "".join(parts) + told(markup[at:])


def _tags(markup: str) -> Iterator[tuple[int, int]]:
    """Where the tags, comments, scripts and styles of *markup* begin and end.

    After one that never ends there are no more: so the time this takes is in proportion to the markup.
    """
    at = 0
    while found := _OPENED.search(markup, at):
        start, at = found.start(), _end_of(markup, found)
        if at < 0:
            return
        yield start, at


def _end_of(markup: str, opened: re.Match[str]) -> int:
    """Where what begins here ends; -1 for a tag that never does, which is none."""
    if opened["comment"]:
        end = markup.find("-->", opened.end())
        return end + 3 if end >= 0 else len(markup)
    tag = _REST_OF_TAG.match(markup, opened.end())
    if tag is None:
        return -1
    if not opened["code"]:
        return tag.end()
    closed = re.compile(f"</{opened['code']}[\\s/>]", re.IGNORECASE).search(markup, tag.end())
    return closed.start() if closed else len(markup)


def _inside(code: str) -> str:
    """Code that cannot end the element it stands in."""
    return code.replace("</", "<\\/")


# --- PDFs -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A submission to be drawn."""

    title: str
    submission_id: UUID
    received_at: datetime
    version_number: int
    is_health_data: bool
    embed_domain: str | None
    schema: FormSchema
    answers: JsonObject
    attribution: Attribution


@dataclass(frozen=True, slots=True)
class Drawn:
    """A PDF; its name says nothing of the person it is about."""

    name: str
    data: bytes


def draw_submission(sheet: Sheet) -> Drawn:
    """Title, what is known of the submission, each answer in the order of the questions, and where it came from."""
    pdf = _document(sheet.title)
    _title(pdf, sheet.title)
    if sheet.is_health_data:
        _banner(pdf, "Protected health information. Handle, keep and dispose of it as such.")
    _rows(
        pdf,
        [
            ("Submission", str(sheet.submission_id)),
            ("Received", f"{sheet.received_at:%B %d, %Y, %H:%M} UTC"),
            ("Version", str(sheet.version_number)),
            ("Site", sheet.embed_domain or ""),
        ],
    )
    _heading(pdf, "Answers")
    _rows(pdf, _answers(sheet.schema, sheet.answers) or [("–", "Nothing was answered.")])
    told = sheet.attribution
    origin = [
        ("Landing page", rules.without_query(told.landing_page)),
        ("Referrer", rules.without_query(told.referrer)),
        *((name.removeprefix("utm_").capitalize(), value) for name, value in told.utms.model_dump().items()),
    ]
    known = [(label, value) for label, value in origin if value]
    if known:
        _heading(pdf, "Where the visitor came from")
        _rows(pdf, known)
    return Drawn(f"{slug(sheet.title)}-{str(sheet.submission_id)[:8]}.pdf", bytes(pdf.output()))


def _answers(schema: FormSchema, answers: Mapping[str, object]) -> list[tuple[str, str]]:
    labels = {one.name: one.label for one in schema.fields}
    order = [*(one.name for one in schema.fields if one.name in answers), *(k for k in answers if k not in labels)]
    return [(labels.get(key) or key.replace("_", " ").capitalize(), _shown(answers[key])) for key in order]


def _shown(value: object) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else rules.answer_text(value) or "–"


def draw_blank(title: str, schema: FormSchema) -> Drawn:
    """The questions with room to answer them by hand, step by step."""
    pdf = _document(title)
    _title(pdf, title)
    fields = {one.name: one for one in schema.fields if one.type not in ("hidden", "file")}
    for step in schema.steps:
        found = [fields.pop(name) for name in step.fields if name in fields]
        if found and step.title:
            _heading(pdf, step.title)
        for one in found:
            _question(pdf, one)
    for one in fields.values():
        _question(pdf, one)
    return Drawn(f"{slug(title)}-blank.pdf", bytes(pdf.output()))


def _question(pdf: FPDF, one: FormField) -> None:
    _room(pdf, 60 + 14 * len(one.options))
    pdf.ln(6)
    pdf.set_font("Roboto", "B", 10)
    label = one.label + (" *" if one.required else "")
    pdf.multi_cell(0, 14, _printable(pdf, label), new_x="LMARGIN", new_y="NEXT", align="L")
    pdf.set_font("Roboto", "", 10)
    if one.options or one.type == "checkbox":
        for label in [option.label for option in one.options] or ["Yes"]:
            pdf.rect(pdf.get_x() + 2, pdf.get_y() + 3, 8, 8)
            pdf.set_x(pdf.get_x() + 18)
            pdf.multi_cell(0, 14, _printable(pdf, label), new_x="LMARGIN", new_y="NEXT", align="L")
        return
    for _ in range(4 if one.type == "textarea" else 1):
        pdf.ln(18)
        pdf.line(pdf.l_margin, pdf.get_y(), pdf.w - pdf.r_margin, pdf.get_y())


def _document(title: str) -> FPDF:
    from fpdf import FPDF

    logging.getLogger("fpdf").setLevel(logging.ERROR)  # its warnings quote letters that a font does not have

    class Document(FPDF):
        def footer(self) -> None:
            self.set_y(-MARGIN + 14)
            self.set_font("Roboto", "", 8)
            self.cell(0, 10, f"Page {self.page_no()} of {{nb}}", align="C")

    pdf = Document(unit="pt", format="A4")
    pdf.set_title(title)
    pdf.set_margin(MARGIN)
    pdf.set_auto_page_break(True, margin=MARGIN)
    fonts.add_to(pdf)
    pdf.add_page()
    return pdf


def _title(pdf: FPDF, text: str) -> None:
    pdf.set_font("Roboto", "B", 18)
    pdf.multi_cell(0, 24, _printable(pdf, text), new_x="LMARGIN", new_y="NEXT", align="L")
    pdf.ln(6)


def _heading(pdf: FPDF, text: str) -> None:
    _room(pdf, 60)
    pdf.ln(12)
    pdf.set_font("Roboto", "B", 13)
    pdf.multi_cell(0, 18, _printable(pdf, text), new_x="LMARGIN", new_y="NEXT", align="L")


def _banner(pdf: FPDF, text: str) -> None:
    pdf.set_font("Roboto", "B", 10)
    pdf.set_fill_color(253, 236, 234)
    pdf.multi_cell(0, 20, text, new_x="LMARGIN", new_y="NEXT", align="C", fill=True)
    pdf.ln(4)


def _rows(pdf: FPDF, pairs: list[tuple[str, str]]) -> None:
    for label, value in pairs:
        if not value:
            continue
        _room(pdf, 30)
        top, sheet = pdf.get_y(), pdf.page_no()
        pdf.set_font("Roboto", "B", 10)
        pdf.multi_cell(LABEL_WIDTH, 14, _printable(pdf, label), new_x="LMARGIN", new_y="NEXT", align="L")
        bottom = pdf.get_y() if pdf.page_no() == sheet else top
        pdf.set_xy(MARGIN + LABEL_WIDTH + 8, top if pdf.page_no() == sheet else pdf.t_margin)
        pdf.set_font("Roboto", "", 10)
        pdf.multi_cell(0, 14, _printable(pdf, value), new_x="LMARGIN", new_y="NEXT", align="L")
        if pdf.page_no() == sheet:
            pdf.set_y(max(bottom, pdf.get_y()))


def _room(pdf: FPDF, height: float) -> None:
    """A new page when *height* no longer fits on this one."""
    if pdf.get_y() + min(height, 300) > pdf.h - MARGIN:
        pdf.add_page()


def _printable(pdf: FPDF, text: str) -> str:
    """What the font can show, a question mark for each letter that it cannot; "{nb}" stands for the number of pages."""
    known = pdf.current_font.cmap  # type: ignore[union-attr]  # an embedded font has been chosen
    shown = (char if char == "\n" or ord(char) in known else "?" if char.isprintable() else " " for char in text)
    return "".join(shown).replace("{nb}", "{ nb}")
