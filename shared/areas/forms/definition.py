"""The language in which a form is described, checked before a version is kept: by whoever writes it, person or AI.

Visitors' pages read a stored definition tolerantly (``FormSchema.read``): what they cannot use they leave out. So an
author must hear of it before, or a question is silently lost. What is fine here is drawn, decided and checked there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from shared.areas.forms import attachments, rules
from shared.areas.forms.models import FIELD_TYPES, FormField, FormSchema, ShowIf, Theme, as_dict
from shared.errors import Invalid

MAX_FIELDS: Final = 300
MAX_STEPS: Final = 50
MAX_OPTIONS: Final = 500
MAX_LABEL: Final = 2000
OPERATORS: Final = frozenset(
    {"equals", "is", "eq", "==", "in", "not_equals", "is_not", "neq", "!=", "not_in", "contains", "not_contains"}
    | {"empty", "not_empty", "gt", ">", "lt", "<"}
)
Problem = dict[str, str]  # {"field", "message"}


def require(schema: Mapping[str, Any], code: str, *, known: Sequence[Problem] = ()) -> FormSchema:
    """The definition as visitors' pages read it; Invalid names every problem that is not *known*."""
    found = [one for one in problems(schema, code) if one not in known]
    if found:
        text = "; ".join(f"{one['field']}: {one['message']}" for one in found[:10])
        raise Invalid(text, code="DEFINITION_INVALID", errors=found[:100])
    return FormSchema.read(schema)


def problems(schema: Mapping[str, Any], code: str) -> list[Problem]:
    """What is wrong with a definition; *code* is the version's markup, which decides how the form is drawn."""
    shape = list(_shape(schema))
    if shape:
        return shape
    read = FormSchema.read(schema)
    drawn = read.mode_for(code) == "react"
    return [
        *(problem for one in read.fields for problem in _field(one, drawn=drawn)),
        *rules.schema_problems(read),
        *_conditions(read),
        *_theme(schema.get("theme")),
    ]


def warnings(schema: FormSchema, code: str, *, form_type: str) -> list[Problem]:
    """What an author may want to know of a definition that can be kept."""
    found = []
    if schema.mode_for(code) == "html" and "<form" not in code.lower() and "AnchorFormsRuntime" not in schema.js_code:
        found.append({"field": "react_code", "message": "has no <form>, so that nothing a visitor enters is sent"})
    if schema.mode_for(code) == "react" and not schema.fields:
        found.append({"field": "fields", "message": "are empty, so that visitors are asked nothing"})
    if form_type == "conversion":
        found += [
            {"field": one.name, "message": "asks for health data; such a form should be an intake"}
            for one in schema.fields
            if rules.is_health_data(one)
        ]
    return found


def _shape(schema: Mapping[str, Any]) -> Iterator[Problem]:
    fields, steps = schema.get("fields"), schema.get("steps")
    fields = [] if fields is None else fields
    if not isinstance(fields, list) or len(fields) > MAX_FIELDS:
        yield {"field": "fields", "message": f"must be a list of at most {MAX_FIELDS} fields"}
        return
    if steps is not None and (not isinstance(steps, list) or len(steps) > MAX_STEPS):
        yield {"field": "steps", "message": f"must be a list of at most {MAX_STEPS} steps"}
    elif any(not isinstance(as_dict(step).get("fields"), list) for step in steps or []):
        yield {"field": "steps", "message": "each need a list of the names of their fields"}
    mode = schema.get("runtime_mode")
    if mode not in (None, "html", "react", "docai"):
        yield {"field": "runtime_mode", "message": "must be html or react"}
    yield from _names(fields)


def _names(fields: list[Any]) -> Iterator[Problem]:
    seen: set[str] = set()
    for at, told in enumerate(fields):
        read = FormField.read(told)
        if read is None:
            yield {"field": f"fields.{at}", "message": "needs a name of at most 200 characters"}
        elif read.name in seen:
            yield {"field": read.name, "message": "is the name of two fields"}
        elif read.name == rules.HONEYPOT:
            yield {"field": read.name, "message": "is a name that stands for the trap for bots"}
        else:
            seen.add(read.name)
            yield from _options(read, told.get("options"))


def _options(one: FormField, told: object) -> Iterator[Problem]:
    if told in (None, []):
        return
    if not isinstance(told, list) or len(told) > MAX_OPTIONS:
        yield {"field": one.name, "message": f"needs a list of at most {MAX_OPTIONS} options"}
    elif len(one.options) != len(told):
        yield {"field": one.name, "message": "has an option that is neither a text nor {value, label}"}
    elif len({option.value for option in one.options}) != len(told):
        yield {"field": one.name, "message": "has two options of one value"}


def _field(one: FormField, *, drawn: bool) -> Iterator[Problem]:
    if one.type not in FIELD_TYPES:
        yield {"field": one.name, "message": f"has the unknown type {one.type[:40]!r}"}
    if len(one.label) > MAX_LABEL:
        yield {"field": one.name, "message": f"has a label longer than {MAX_LABEL} characters"}
    if drawn and one.type in ("select", "radio") and not one.options:
        yield {"field": one.name, "message": "needs options to choose from"}
    if one.type == "file" and not attachments.types_of(one):
        yield {"field": one.name, "message": "accepts no type of file that visitors may send"}
    if isinstance(one.min, float) and isinstance(one.max, float) and one.min > one.max:
        yield {"field": one.name, "message": "has a smallest value above its largest"}


def _conditions(schema: FormSchema) -> Iterator[Problem]:
    """Unknown operators, steps that ask for fields that are not there, and fields that wait for each other."""
    names = {one.name for one in schema.fields}
    for step in schema.steps:
        for condition in step.show_if:
            if condition.field not in names:
                yield {"field": condition.field, "message": "is asked for by a step but is no field"}
    owners = [(one.name, one.show_if) for one in schema.fields] + [(step.title, step.show_if) for step in schema.steps]
    for owner, conditions in owners:
        for condition in conditions:
            if condition.operator.strip().lower() not in OPERATORS:
                message = f"has a condition with the unknown operator {condition.operator[:40]!r}"
                yield {"field": owner or "steps", "message": message}
    for name in _in_circles({one.name: one.show_if for one in schema.fields}):
        yield {"field": name, "message": "is shown only if it is shown itself: its conditions go in a circle"}


def _in_circles(conditions: Mapping[str, list[ShowIf]]) -> list[str]:
    """The names from which their own conditions lead back to themselves."""
    waits_for = {name: {one.field for one in found if one.field in conditions} for name, found in conditions.items()}
    free = {name for name, others in waits_for.items() if not others}
    while True:
        more = {name for name, others in waits_for.items() if name not in free and others <= free}
        if not more:
            return [name for name in conditions if name not in free and _reaches(name, waits_for)]
        free |= more


def _reaches(name: str, waits_for: Mapping[str, set[str]]) -> bool:
    seen: set[str] = set()
    waiting = list(waits_for[name])
    while waiting:
        one = waiting.pop()
        if one == name:
            return True
        if one not in seen:
            seen.add(one)
            waiting.extend(waits_for[one])
    return False


def _theme(told: object) -> Iterator[Problem]:
    if told in (None, {}):
        return
    given, read = as_dict(told), Theme.read(told)
    if len(read.colors) != len(as_dict(given.get("colors"))):
        yield {"field": "theme.colors", "message": "holds something that is no colour"}
    for name, kept in (("font", read.font), ("radius", read.radius)):
        if given.get(name) not in (None, "") and not kept:
            yield {"field": f"theme.{name}", "message": "cannot be read"}
