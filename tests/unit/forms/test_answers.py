"""Whether answers are right, and which questions are asked."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.areas.forms import attachments, rules
from shared.areas.forms.models import FormField, FormSchema, ShowIf
from shared.areas.forms.rules import check_answers, shown_fields

EMBED = Path(rules.__file__).parent / "embed"


def asked(**field: Any) -> FormSchema:
    return FormSchema.read({"fields": [{"name": "q", **field}]})


def outcome(schema: FormSchema, answer: object) -> object:
    """The kept answer, or ``"wrong"``."""
    checked = check_answers(schema, {"q": answer})
    return "wrong" if checked.errors else checked.payload.get("q")


FILE_ID = "0c5f3c1e-6d2c-4a9e-9f57-0d2b8a6f1e1a"
BOXES = {"type": "checkbox", "options": ["a", "b"]}


@pytest.mark.parametrize(
    ("field", "answer", "kept"),
    [
        ({"type": "text"}, "  hi ", "hi"),
        ({"type": "text"}, 5, "5"),
        ({"type": "text"}, True, "wrong"),
        ({"type": "text"}, ["a"], "wrong"),
        ({"type": "text"}, "x" * 1001, "wrong"),
        ({"type": "textarea"}, "x" * 5000, "x" * 5000),
        ({"type": "text", "validation": {"maxLength": 3}}, "four", "wrong"),
        ({"type": "text", "required": True}, " ", "wrong"),
        ({"type": "text", "required": True}, None, "wrong"),
        ({"type": "text"}, "", None),
        ({"type": "unheard-of", "required": True}, "x", "x"),
        ({"type": "email"}, "a.b+c@example.co.uk", "a.b+c@example.co.uk"),
        ({"type": "email"}, "a@b", "wrong"),
        ({"type": "email"}, "a@b.test\nBcc: c@d.test", "wrong"),
        ({"type": "email"}, "a@b..test", "wrong"),
        ({"type": "email"}, "A <a@b.test>", "wrong"),
        ({"type": "phone"}, "+1 (555) 123-4567", "+1 (555) 123-4567"),
        ({"type": "tel"}, "555.123.4567 x12", "555.123.4567 x12"),
        ({"type": "phone"}, "12345", "wrong"),
        ({"type": "phone"}, "call me", "wrong"),
        ({"type": "phone"}, "1" * 16, "wrong"),
        ({"type": "select", "options": ["a", "b"]}, "a", "a"),
        ({"type": "select", "options": ["a", "b"]}, "c", "wrong"),
        ({"type": "select", "options": ["a"]}, "", None),
        ({"type": "radio", "options": [{"value": 1, "label": "One"}]}, "1", "1"),
        (BOXES, ["a", "b", "a"], ["a", "b"]),
        (BOXES, "a", ["a"]),
        (BOXES, False, []),
        (BOXES, ["c"], "wrong"),
        ({**BOXES, "required": True}, [], "wrong"),
        ({"type": "checkbox"}, "on", True),
        ({"type": "checkbox"}, "I agree", "I agree"),
        ({"type": "checkbox"}, False, False),
        ({"type": "checkbox"}, None, False),
        ({"type": "checkbox", "required": True}, False, "wrong"),
        ({"type": "checkbox", "required": True}, True, True),
        ({"type": "date"}, "2024-02-29", "2024-02-29"),
        ({"type": "date"}, "2023-02-29", "wrong"),
        ({"type": "date"}, "20240101", "wrong"),
        ({"type": "date", "min": "2024-01-01"}, "2023-12-31", "wrong"),
        ({"type": "number"}, "12.50", 12.5),
        ({"type": "number"}, 3, 3),
        ({"type": "number"}, "1e5", "wrong"),
        ({"type": "number"}, True, "wrong"),
        ({"type": "number", "validation": {"min": 1, "max": 9}}, "10", "wrong"),
        ({"type": "number", "required": True}, "", "wrong"),
        ({"type": "number", "required": True}, 0, 0),
        ({"type": "file"}, [], None),
        ({"type": "file", "required": True}, "", "wrong"),
        ({"type": "file", "required": True}, FILE_ID.upper(), [FILE_ID]),
        ({"type": "file"}, [FILE_ID, FILE_ID], [FILE_ID]),
        ({"type": "file"}, [FILE_ID, "photo.jpg"], "wrong"),
        ({"type": "file"}, [FILE_ID, FILE_ID[:-1] + "1"], "wrong"),
        ({"type": "file", "multiple": True}, [FILE_ID, FILE_ID[:-1] + "1"], [FILE_ID, FILE_ID[:-1] + "1"]),
        ({"type": "file"}, "photo.jpg", "wrong"),
        ({"type": "text", "validation": {"pattern": "[0-9]{5}"}}, "12345", "12345"),
        ({"type": "text", "validation": {"pattern": "[0-9]{5}"}}, "123456", "wrong"),
        ({"type": "text", "validation": {"pattern": "(?=x)y("}}, "anything", "anything"),
    ],
)
def test_each_type_is_checked(field: dict[str, Any], answer: object, kept: object) -> None:
    """A right answer is kept in its normal form, a wrong one is named."""
    assert outcome(asked(**field), answer) == kept
    assert isinstance(outcome(asked(**field), answer), type(kept))


def test_errors_name_the_field_and_say_what_to_do() -> None:
    """The author's own words where there are some."""
    schema = asked(type="text", validation={"pattern": "[0-9]+", "message": "Digits, please."})
    assert check_answers(schema, {"q": "x"}).errors == [{"field": "q", "message": "Digits, please."}]


def test_a_wicked_pattern_costs_nothing() -> None:
    """A pattern that hangs other engines is matched in time linear to the answer."""
    started = time.perf_counter()
    assert outcome(asked(type="text", validation={"pattern": "(a+)+(a|a)*$"}), "a" * 999 + "!") == "wrong"
    assert time.perf_counter() - started < 0.5


def test_without_fields_all_answers_are_kept() -> None:
    """An author's own page asks what it likes."""
    assert check_answers(FormSchema(), {"x": {"y": [1]}}).payload == {"x": {"y": [1]}}


def test_answers_to_questions_not_asked_are_kept_within_bounds() -> None:
    """Beside the fields, at most a hundred."""
    schema = asked(type="text")
    assert check_answers(schema, {"q": "a", "utm": "b"}).payload == {"q": "a", "utm": "b"}
    assert check_answers(schema, {f"x{n}": 1 for n in range(101)}).errors


def test_hidden_questions_are_neither_required_nor_kept() -> None:
    """A condition takes its question, and those that depend on it, away."""
    schema = FormSchema.read(
        {
            "fields": [
                {"name": "pet", "type": "checkbox"},
                {"name": "kind", "required": True, "show_if": {"field": "pet", "operator": "equals", "value": True}},
                {"name": "age", "required": True, "show_if": [{"field": "kind", "operator": "not_empty"}]},
                {"name": "note", "required": True},
            ],
            "steps": [
                {"fields": ["pet", "kind", "age"]},
                {"fields": ["note"], "show_if": {"field": "pet", "operator": "equals", "value": True}},
            ],
        }
    )
    assert check_answers(schema, {"pet": False, "kind": "cat", "age": "3"}) == ({"pet": False}, [])
    missing = [error["field"] for error in check_answers(schema, {"pet": True}).errors]
    assert missing == ["kind", "note"]


def test_the_inputs_of_a_group_answer_its_question() -> None:
    """Authors call them ``services[]``; the question is ``services``, and others may hang on it."""
    schema = FormSchema.read(
        {
            "fields": [
                {**BOXES, "name": "services", "required": True},
                {"name": "why", "required": True, "show_if": {"field": "services", "operator": "equals", "value": "b"}},
            ]
        }
    )
    assert check_answers(schema, {"services[]": ["a"], "tags[]": ["x"]}) == ({"services": ["a"], "tags[]": ["x"]}, [])
    assert [one["field"] for one in check_answers(schema, {"services[]": ["b"]}).errors] == ["why"]
    assert [one["field"] for one in check_answers(schema, {"services[]": ["no"]}).errors] == ["services"]
    assert check_answers(schema, {"services": ["a"], "services[]": ["b"]}).payload["services"] == ["a"]


VALUES: list[Any] = [None, "", "a", "B ", "ab", "5", 5, 5.0, 7.5, "10", True, False, [], ["a"], ["a", "b"], [True]]
OPERATORS = ["equals", "not_equals", "in", "contains", "not_contains", "empty", "not_empty", "gt", "lt", "??"]
NAMES = ["a", "b", "c", "d", "e"]


def some_form(dice: random.Random) -> dict[str, Any]:
    """A form of a few fields that hang on each other, also in circles, and answers to it."""

    def conditions(most: int) -> list[dict[str, Any]]:
        return [
            {"field": dice.choice(NAMES), "operator": dice.choice(OPERATORS), "value": dice.choice(VALUES)}
            for _ in range(dice.randint(0, most))
        ]

    return {
        "fields": [{"name": name, "show_if": conditions(2)} for name in dice.sample(NAMES, dice.randint(0, 4))],
        "steps": [
            {"fields": dice.sample(NAMES, dice.randint(0, 2)), "show_if": conditions(1)}
            for _ in range(dice.randint(0, 2))
        ],
        "answers": {name: dice.choice(VALUES) for name in dice.sample(NAMES, dice.randint(0, 5))},
    }


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_the_browser_shows_what_the_server_asks() -> None:
    """The page and the server decide alike which fields are shown, in thousands of forms."""
    dice = random.Random(20260301)
    cases = [some_form(dice) for _ in range(4000)]
    schemas = [FormSchema.read(case) for case in cases]
    drawn = [
        {
            "fields": [one.model_dump(include={"name", "show_if"}) for one in schema.fields],
            "steps": [step.model_dump() for step in schema.steps],
            "answers": case["answers"],
        }
        for schema, case in zip(schemas, cases, strict=True)
    ]
    script = (
        (EMBED / "conditions.js").read_text()
        + "\nconst cases = JSON.parse(require('fs').readFileSync(0, 'utf8'));"
        + "\nconsole.log(JSON.stringify(cases.map(c => [...anchorShown(c.fields, c.steps, c.answers)])));"
    )
    ran = subprocess.run(
        ["node", "-e", script], input=json.dumps(drawn), capture_output=True, text=True, timeout=60, check=True
    )
    for schema, case, theirs in zip(schemas, cases, json.loads(ran.stdout), strict=True):
        assert sorted(theirs) == sorted(one.name for one in shown_fields(schema, case["answers"])), case


def test_many_conditions_are_settled_quickly() -> None:
    """A form whose fields all hang on each other takes no exponential time."""
    fields = [
        {"name": f"f{n}", "show_if": [{"field": f"f{m}", "operator": "not_empty"} for m in range(max(0, n - 3), n)]}
        for n in range(120)
    ]
    schema = FormSchema.read({"fields": fields})
    started = time.perf_counter()
    assert len(shown_fields(schema, {f"f{n}": "x" for n in range(120)})) == 120
    assert len(shown_fields(schema, {})) == 1
    assert time.perf_counter() - started < 2


@pytest.mark.parametrize(
    ("operator", "value", "answer", "held"),
    [
        ("equals", "Yes", "yes", True),
        ("equals", True, True, True),
        ("equals", None, "", True),
        ("equals", "", "x", False),
        ("not_equals", "a", None, True),
        ("in", ["a", "b"], "b", True),
        ("not_in", ["a", "b"], ["b", "c"], False),
        ("contains", "ell", "Hello", True),
        ("empty", None, [], True),
        ("not_empty", None, False, False),
        ("gt", 5, "10", True),
        ("gt", 5, "no number", False),
        ("lt", "5", 4, True),
    ],
)
def test_operators(operator: str, value: object, answer: object, held: bool) -> None:
    """What each operator means."""
    assert rules.holds(ShowIf(field="q", operator=operator, value=value), answer) is held


kinds = st.sampled_from(
    ["text", "email", "phone", "select", "radio", "checkbox", "date", "number", "textarea", "file", "x"]
)


@given(
    kinds,
    st.booleans(),
    st.booleans(),
    st.recursive(st.sampled_from(VALUES) | st.text(max_size=20) | st.floats(), lambda one: st.lists(one, max_size=3)),
)
def test_kept_answers_are_right_answers(kind: str, required: bool, optioned: bool, answer: object) -> None:
    """Nothing raises, and checking what was kept again changes nothing."""
    schema = asked(type=kind, required=required, options=["a", "b"] if optioned else [])
    checked = check_answers(schema, {"q": answer})
    if not checked.errors:
        assert check_answers(schema, checked.payload) == checked


def test_authors_learn_what_binds_nobody() -> None:
    """Patterns that cannot be checked, conditions and steps that name nothing."""
    schema = FormSchema.read(
        {
            "fields": [
                {"name": "a", "validation": {"pattern": "(?=x)"}},
                {"name": "b", "show_if": {"field": "zz", "operator": "empty"}},
            ],
            "steps": [{"fields": ["a", "yy"]}],
        }
    )
    assert [problem["field"] for problem in rules.schema_problems(schema)] == ["a", "b", "yy"]
    assert rules.schema_problems(FormSchema(fields=[FormField(name="a", pattern="[a-z]+")])) == []


@pytest.mark.parametrize(
    ("accept", "takes", "refuses"),
    [
        ("", {"pdf", "jpg", "docx"}, {"svg", "html"}),
        ("image/*", {"jpg", "png", "heic"}, {"pdf", "svg"}),
        (" .PDF , image/png", {"pdf", "png"}, {"jpg"}),
        ("application/pdf", {"pdf"}, {"docx"}),
        ("*/*", {"pdf", "jpg"}, {"svg"}),
        (".exe", set(), {"pdf"}),
    ],
)
def test_a_question_takes_what_its_author_accepts(accept: str, takes: set[str], refuses: set[str]) -> None:
    """As a browser reads the attribute, and never what could hold a script."""
    types = attachments.types_of(FormField(name="x", type="file", accept=accept))
    assert takes <= types.keys() and not refuses & types.keys()


@given(st.none() | st.floats())
def test_the_largest_file_is_never_larger_than_ours(wished: float | None) -> None:
    """Whatever an author wrote: nothing, nonsense, or more than there can be."""
    largest = attachments.largest(FormField(name="x", type="file", max_size_mb=wished))
    assert 0 <= largest <= rules.MAX_FILE_BYTES
    assert largest == rules.MAX_FILE_BYTES or (wished is not None and 0 < wished < 10)
