"""Writes a definition out as the HTML of a form, and as its print template: what a person would then go on editing."""

from __future__ import annotations

from html import escape

from shared.areas.forms.models import FormField, FormSchema

_INPUTS = {"email": "email", "phone": "tel", "number": "number", "date": "date", "hidden": "hidden"}
_AUTOCOMPLETE = {"email": "email", "phone": "tel"}

_GROUP = ' data-group="yes"'  # one box of several: its answer is a list

PRINT_CSS = """body { font: 11pt/1.4 system-ui, Arial, sans-serif; color: #000; margin: 2cm; }
h1 { font-size: 16pt; } h2 { font-size: 12pt; margin: 1.2em 0 0.3em; }
.ac-print-row { display: grid; grid-template-columns: 14em 1fr; gap: 0.5em; padding: 0.25em 0; }
.ac-print-row { border-bottom: 1px solid #ccc; break-inside: avoid; } .ac-print-label { font-weight: 600; }
"""


def form_html(schema: FormSchema) -> str:
    """The form in the preset classes, ready to be sent (``data-anchor-form``)."""
    body = "\n".join(_section(title, fields) for title, fields in sections(schema))
    buttons = '  <div class="ac-actions">\n    <button class="ac-button" type="submit">Send</button>\n  </div>'
    return f'<form class="ac-form" data-anchor-form>\n{body}\n{buttons}\n</form>\n'


def print_html(title: str, schema: FormSchema) -> str:
    """A page with a line for each answer, ``{{name}}`` where it goes."""
    parts = [f"<h1>{_text(title)}</h1>"]
    for heading, fields in sections(schema):
        parts += [f"<h2>{_text(heading)}</h2>"] if heading else []
        parts += [
            f'<div class="ac-print-row"><span class="ac-print-label">{_text(one.label)}</span>'
            f"<span>{{{{{one.name}}}}}</span></div>"
            for one in fields
            if one.type != "hidden"
        ]
    return "\n".join(parts) + "\n"


def _text(text: str) -> str:
    return escape(text).replace("{", "&#123;")  # no label is a placeholder


def sections(schema: FormSchema) -> list[tuple[str, list[FormField]]]:
    """(title, fields) in the order they are asked; fields that no step names come last."""
    left = {one.name: one for one in schema.fields}
    found = [(step.title, [left.pop(name) for name in step.fields if name in left]) for step in schema.steps]
    found.append(("", list(left.values())))
    return [(title, fields) for title, fields in found if fields]


def _section(title: str, fields: list[FormField]) -> str:
    questions = "\n".join(map(_question, fields))
    heading = f'    <h2 class="ac-step-title">{escape(title)}</h2>\n' if title else ""
    return f'  <section class="ac-step">\n{heading}{questions}\n  </section>'


def _question(one: FormField) -> str:
    name, required = escape(one.name), " required" if one.required else ""
    star = ' <span class="ac-required" aria-hidden="true">*</span>' if one.required else ""
    if one.type == "hidden":
        return f'    <input type="hidden" name="{name}" value="{escape(one.default)}">'
    if one.options and one.type in ("radio", "checkbox"):
        each = required if one.type == "radio" else _GROUP
        boxes = "\n".join(
            f'      <label class="ac-choice"><input type="{one.type}" name="{name}" value="{escape(option.value)}"'
            f"{each}> {escape(option.label)}</label>"
            for option in one.options
        )
        legend = f'      <legend class="ac-label">{escape(one.label)}{star}</legend>'
        return f'    <fieldset class="ac-field ac-choices">\n{legend}\n{boxes}\n    </fieldset>'
    if one.type == "checkbox":
        box = f'<input type="checkbox" name="{name}"{required}> {escape(one.label)}{star}'
        return f'    <div class="ac-field"><label class="ac-choice">{box}</label></div>'
    label = f'      <label class="ac-label" for="{name}">{escape(one.label)}{star}</label>'
    helped = f'\n      <p class="ac-help">{escape(one.help)}</p>' if one.help else ""
    return f'    <div class="ac-field">\n{label}\n      {_control(one, name, required)}{helped}\n    </div>'


def _control(one: FormField, name: str, required: str) -> str:
    shared = f'class="ac-input" id="{name}" name="{name}"{required}'
    hint = f' placeholder="{escape(one.placeholder)}"' if one.placeholder else ""
    if one.type == "textarea":
        return f'<textarea {shared} rows="4"{hint}></textarea>'
    if one.type == "select":
        options = "".join(
            f'<option value="{escape(option.value)}">{escape(option.label)}</option>' for option in one.options
        )
        return f'<select {shared}><option value="">Please choose</option>{options}</select>'
    if one.type == "file":
        takes = f' accept="{escape(one.accept)}"' if one.accept else ""
        return f'<input {shared} type="file"{takes}{" multiple" if one.multiple else ""}>'
    fills = f' autocomplete="{_AUTOCOMPLETE[one.type]}"' if one.type in _AUTOCOMPLETE else ""
    return f'<input {shared} type="{_INPUTS.get(one.type, "text")}"{fills}{hint}>'
