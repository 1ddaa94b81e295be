"""The builder's rules: definitions, what is drawn from them, what paper and spreadsheets hold, and compiled code."""

from __future__ import annotations

import json
import re
import time
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.areas.forms import ai, definition, documents, drawing, pages, printing, rules
from shared.areas.forms.compiling import compile_jsx
from shared.areas.forms.models import FIELD_TYPES, FormSchema
from shared.errors import Invalid, Problem

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
FIELD = st.fixed_dictionaries(
    {"name": st.text(min_size=1, max_size=12)},
    optional={
        "type": st.sampled_from([*sorted(FIELD_TYPES), "tel", "emial", ""]) | JSON,
        "label": st.text(max_size=20) | JSON,
        "required": st.booleans() | JSON,
        "options": st.lists(st.text(max_size=5) | JSON, max_size=4) | JSON,
        "show_if": st.fixed_dictionaries({"field": st.text(max_size=12), "operator": st.text(max_size=8)}) | JSON,
        "validation": JSON,
    },
)
DEFINITION = st.fixed_dictionaries(
    {},
    optional={
        "fields": st.lists(FIELD | JSON, max_size=5) | JSON,
        "steps": st.lists(st.fixed_dictionaries({"title": st.text(max_size=5), "fields": JSON}), max_size=3) | JSON,
        "theme": JSON,
        "runtime_mode": st.sampled_from(["html", "react", "docai", "vue"]) | JSON,
    },
)


@given(DEFINITION)
def test_a_definition_that_passes_loses_nothing(schema: dict[str, Any]) -> None:
    """Any JSON gets an answer; where there is no complaint, visitors' pages read every field, in the author's order."""
    if definition.problems(schema, "<form>"):
        with pytest.raises(Invalid):
            definition.require(schema, "<form>")
        return
    read = definition.require(schema, "<form>")
    assert [one.name for one in read.fields] == [one["name"].strip() for one in schema.get("fields") or []]
    assert all(one.type in FIELD_TYPES for one in read.fields)
    for one, told in zip(read.fields, schema.get("fields") or [], strict=True):
        assert len(one.options) == len(told.get("options") or [])


def test_every_new_form_passes_its_own_rules() -> None:
    """The template of a new form can be saved and published as it is, without a warning."""
    new = pages.new_form()
    read = definition.require(new.schema_json, new.react_code)
    assert definition.warnings(read, new.react_code, form_type="conversion") == []


@pytest.mark.parametrize(
    ("schema", "names"),
    [
        ({"fields": {}}, ["fields"]),
        ({"fields": [{"label": "x"}]}, ["fields.0"]),
        ({"fields": [{"name": "a"}, {"name": "a "}]}, ["a"]),
        ({"fields": [{"name": rules.HONEYPOT}]}, [rules.HONEYPOT]),
        ({"fields": [{"name": "a", "type": "select"}], "runtime_mode": "react"}, ["a"]),
        ({"fields": [{"name": "a", "type": "select", "options": [["x"]]}]}, ["a"]),
        ({"fields": [{"name": "a", "options": ["x", "x"]}]}, ["a"]),
        ({"fields": [{"name": "a", "type": "number", "min": 2, "max": 1}]}, ["a"]),
        ({"fields": [{"name": "a", "show_if": {"field": "a"}}]}, ["a"]),
        ({"fields": [{"name": "a", "show_if": {"field": "b", "operator": "~"}}, {"name": "b"}]}, ["a"]),
        ({"fields": [{"name": "a"}], "steps": [{"title": "s", "fields": ["z"]}]}, ["z"]),
        ({"fields": [{"name": "a"}], "steps": [{"title": "s"}]}, ["steps"]),
        ({"fields": [], "theme": {"colors": {"primary": "red;}"}, "font": "a{"}}, ["theme.colors", "theme.font"]),
        ({"fields": [], "runtime_mode": "vue"}, ["runtime_mode"]),
        ({"fields": [{"name": "a"}] * 301}, ["fields"]),
    ],
)
def test_each_mistake_is_named(schema: dict[str, Any], names: list[str]) -> None:
    """What an author got wrong is told by the field's name."""
    assert [one["field"] for one in definition.problems(schema, "<form>")] == names


@given(st.lists(JSON | FIELD, max_size=8))
def test_whatever_the_model_says_becomes_a_definition_that_can_be_kept(told: list[Any]) -> None:
    """No answer of the AI gets past the rules, and none makes them complain."""
    schema = ai.read_fields(told)
    assert definition.problems(schema, "<form>") == []
    assert all(re.fullmatch(r"[a-z0-9_]{1,70}", one["name"]) for one in schema["fields"])


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.handlers: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.handlers += [name for name, _ in attrs if name.startswith("on")]


@given(
    st.lists(st.tuples(st.text(max_size=30), st.sampled_from(sorted(FIELD_TYPES))), max_size=4), st.text(max_size=40)
)
def test_labels_are_drawn_as_text(fields: list[tuple[str, str]], nasty: str) -> None:
    """No label, option or help of a definition becomes markup; each question is there under its name."""
    schema = FormSchema.read(
        {
            "fields": [
                {"name": f"f{at}", "label": label + nasty, "type": kind, "options": ["<b>", nasty + "x"], "help": nasty}
                for at, (label, kind) in enumerate(fields)
            ]
        }
    )
    drawn = Tags()
    drawn.feed(drawing.form_html(schema))
    assert set(drawn.tags) <= {
        *(
            "form",
            "section",
            "div",
            "label",
            "input",
            "textarea",
            "select",
            "option",
            "fieldset",
            "legend",
            "span",
            "p",
        ),
        *("button", "h2"),
    }
    assert drawn.handlers == []
    printed = Tags()
    printed.feed(drawing.print_html(nasty, schema))
    assert set(printed.tags) <= {"h1", "h2", "div", "span"}
    html = drawing.form_html(schema)
    assert all(f'name="f{at}"' in html for at in range(len(fields)))


def test_a_drawn_form_is_read_back_from_its_code() -> None:
    """The fields that the code is scanned for are those it was drawn from."""
    asked = [("name", "text"), ("mail", "email"), ("about", "textarea"), ("born", "date")]
    schema = FormSchema.read({"fields": [{"name": name, "type": kind, "label": name.title()} for name, kind in asked]})
    found = ai.scan(drawing.form_html(schema))
    assert [(one["name"], one["type"], one["label"]) for one in found] == [(n, k, n.title()) for n, k in asked]


@given(st.text(max_size=60))
def test_an_answer_on_paper_is_text(answer: str) -> None:
    """In a print template an answer adds no tag, fills no attribute and no other placeholder."""
    markup = '<p title="{{a}}">{{a}}</p><script>"{{a}}"</script><style>{{a}}</style><i>{{ b }}</i>'
    page = printing.filled(markup, {"a": answer, "b": "<b>B</b>"})
    seen = Tags()
    seen.feed(page)
    assert [tag for tag in seen.tags if tag != "br"] == ["p", "script", "style", "i"] and seen.handlers == []
    assert page.startswith('<p title="{{a}}">') and '<script>"{{a}}"</script><style>{{a}}</style>' in page
    assert page.endswith("<i>&lt;b&gt;B&lt;/b&gt;</i>")


@pytest.mark.parametrize(
    "markup",
    [
        *(
            "<b x={{a}}",
            "<!-- {{a}} -->",
            "<!-- > {{a}}",
            "<b title='{{a}}'>",
            "<{{a}}>",
            '<b x="\'>{{a}}">',
            "</b {{a}}>",
        ),
        *("<script>'</b>{{a}}'</script >", "<STYLE/x>{{a}}", "<script >{{a}}"),
    ],
)
def test_no_answer_stands_outside_of_text(markup: str) -> None:
    """In an unfinished tag, a comment, an attribute, in place of a tag's name: the answer makes nothing."""
    seen = Tags()
    seen.feed(printing.filled(markup, {"a": "x onclick=y ><i>"}) + ">")
    assert set(seen.tags) <= {"b", "script", "style"} and seen.handlers == []


@pytest.mark.parametrize(
    "part", ["<a b='", "<input name='a' ", "<!--x>", "<!", "<", "</", "<script>", "<input a={x ", "<label>", "<a b=x "]
)
def test_no_code_takes_longer_than_its_length(part: str) -> None:
    """Half a million characters of what never ends are scanned and filled at once, not in hours."""
    code = part * (500_000 // len(part))
    began = time.monotonic()
    ai.scan(code)
    printing.filled(code, {})
    assert time.monotonic() - began < 5


def test_the_inputs_of_a_component_are_read_off_its_code() -> None:
    """Labels around and before an input, groups with their options, handlers beside a name; made-up names are left."""
    code = """<form><label htmlFor="n">Your name *</label>
        <input id="n" onChange={(e) => { if (e.x > 1) set({a: e}) }} name="n" required={true} />
        <label>Mail: <input type="email" name={'mail'}/></label>
        <label><input type="checkbox" name="services[]" value="a"/>A</label>
        <label><input type="checkbox" name="services[]" value="b"/>B</label>
        <label><input type="checkbox" name="agreed" required={false}/> I agree &amp; so on</label>
        <select name="s"><option value="">Choose</option><option value="1">One</option><option>Two</option></select>
        <input type="radio" name="r" value="x"><input type="radio" name="r" value="y"><input type="submit" name="go">
        {more.map((one) => <input name={one.name} />)}<textarea name={`t`} placeholder="Tell us"/>"""
    read = [(one["name"], one["type"], one["label"], one["required"], one.get("options")) for one in ai.scan(code)]
    assert read == [
        ("n", "text", "Your name", True, None),
        ("mail", "email", "Mail", False, None),
        ("services", "checkbox", "services", False, ["a", "b"]),
        ("agreed", "checkbox", "I agree & so on", False, []),
        ("s", "select", "s", False, ["1", "Two"]),
        ("r", "radio", "r", False, ["x", "y"]),
        ("t", "textarea", "Tell us", False, None),
    ]


LINES = st.lists(st.sampled_from(["a", "b", "c", ""]), max_size=8).map("\n".join)


@given(LINES, LINES)
def test_a_diff_says_exactly_what_differs(old: str, new: str) -> None:
    """Taking the old text and doing what the diff says makes the new one."""
    after: dict[int, str] = {}
    removed: set[int] = set()
    changed_old: list[str] = []
    for one in ai.line_diff(old, new):
        if one["type"] == "removed":
            removed.add(one["line"])
            assert old.splitlines()[one["line"] - 1] == one["content"]
        else:
            after[one["line"]] = one["content"] if one["type"] == "added" else one["new"]
            changed_old += [one["old"]] if one["type"] == "changed" else []
    kept = [line for at, line in enumerate(old.splitlines(), start=1) if at not in removed]
    lines = new.splitlines()
    assert all(lines[at - 1] == text for at, text in after.items())
    unchanged = [line for at, line in enumerate(lines, start=1) if at not in after]
    assert sorted(kept) == sorted(unchanged + changed_old)


A = "React.createElement"


@pytest.mark.parametrize(
    ("code", "body"),
    [
        ("export default function FormComponent() { return 1; }", "function FormComponent() { return 1; }"),
        ("export const x = 1;\nconst FormComponent = x;", "const x = 1;\nconst FormComponent = x;"),
        ("function FormComponent() {}\nexport { FormComponent as default };", "function FormComponent() {}"),
        ("export * from 'b';\nexport { c as default } from 'd';\nimport 'e';", ""),
        ("export default function Mine() {}", "function Mine() {}\nreturn Mine;"),
        ("const Mine = 1;\nexport default Mine;", "const Mine = 1;\nreturn Mine;"),
        ("const Mine = 1;\nexport { Mine as default, Mine };", "const Mine = 1;\nreturn Mine;"),
        ("export default class extends B {}", "const __formComponent = class extends B {}\nreturn __formComponent;"),
        (
            "const FormComponent = 1;\nexport default memo(FormComponent);\nlater();",
            "const FormComponent = 1;\nconst __formComponent = memo(FormComponent);\nlater();\nreturn __formComponent;",
        ),
    ],
)
def test_every_way_to_export_a_component_defines_it(code: str, body: str) -> None:
    """The preview finds FormComponent, nothing that only a module may hold, and no name twice."""
    compiled = compile_jsx(f'import React, {{ useState }} from "react";\n{code}')
    inner = re.fullmatch(r"const FormComponent = \(\(\) => {\n(.*)\n}\)\(\);", compiled, re.DOTALL)
    assert re.sub(r"\n+", "\n", inner[1] if inner else compiled) == body


@pytest.mark.parametrize(
    ("jsx", "script"),
    [
        ("<a/>", f'{A}("a", null)'),
        ("<A.B></A.B>", f"{A}(A.B, null)"),
        ("<x-y svg:z='1'/>", f'{A}("x-y", {{"svg:z": "1"}})'),
        ("<><B/>{c}</>", f"{A}(React.Fragment, null, {A}(B, null), c)"),
        (
            '<a b="&quot;1&amp;" c={d} {...e} f g=<h/>/>',
            f'{A}("a", {{"b": "\\"1&", "c": d, ...e, "f": true, "g": {A}("h", null)}})',
        ),
        ('<label for="a" class={b}><var/></label>',
         f'{A}("label", {{"for": "a", "class": b}}, {A}("var", null))'),
        ("<p>See http://a.b /* ' */</p>", f'{A}("p", null, "See http://a.b /* \' */")'),
        ("<p>Terms & Conditions &&amp;</p>", f'{A}("p", null, "Terms & Conditions &&")'),
        ("<p>&#x41;&#66;&nbsp;&nosuch;&#xD800;</p>", f'{A}("p", null, "AB\\u00a0&nosuch;&#xD800;")'),
        ("<p>\n  one\n\n  two {1}\n {2} {/* no */}</p>", f'{A}("p", null, "one two ", 1, 2, " ")'),
        ("<p>{...a}{(b, c)}{d, e}{}</p>", f'{A}("p", null, ...a, (b, c), (d, e))'),
        ("<ul>{a.map((b) => <li>{b && <i/>}</li>)}</ul>",
         f'{A}("ul", null, a.map((b) => {A}("li", null, b && {A}("i", null))))'),
        ("`\nimport a from 'b';\n${<a/>}`", f"`\nimport a from 'b';\n${{{A}(\"a\", null)}}`"),
        ("a & b && /&&/.test('&')", "a & b && /&&/.test('&')"),
    ],
)  # fmt: skip
def test_elements_become_calls_and_nothing_else_changes(jsx: str, script: str) -> None:
    """What a browser makes of JSX: HTML's elements by name, texts trimmed and decoded, expressions in their place."""
    compiled = compile_jsx(f"const FormComponent = {jsx};")
    assert re.sub(r" (?=[,)])", "", compiled) == f"const FormComponent = {script};"


@pytest.mark.parametrize(
    ("code", "where"),
    [
        ("const a = <b>", "Line 1, column 11"),
        ("function (", "Line 1, column 10"),
        ("/* open", "Line 1"),
        ("const a =\n  <é><i></é></é>", "Line 2, column 9: <i> is closed by </é>"),
        ("<a b={}/>", "Line 1, column 6: an expression is missing here"),
        ("const a: string = 1", "Line 1"),
        ("(" * 200_000, "Line 1"),
    ],
)
def test_code_with_a_mistake_is_refused(code: str, where: str) -> None:
    """A syntax error is told, with its place; a comment alone is none, and neither is no code."""
    with pytest.raises(Problem, match="syntax") as told:
        compile_jsx(code)
    assert told.value.extra["detail"].startswith(where)
    assert (compile_jsx("// nothing"), compile_jsx(" \n")) == ("// nothing", "")


@given(st.text(alphabet="<>/{}()=&;\"'` \nab.:-*", max_size=60))
def test_any_code_is_compiled_or_refused(code: str) -> None:
    """No text makes the compiler fail otherwise, and what has no element in it stays as it is."""
    try:
        compiled = compile_jsx(code)
    except Problem:
        return
    assert "<" in code or compiled == code.strip()


@given(st.text(max_size=40), st.text(max_size=40))
def test_likeness_is_a_number_between_nothing_and_all(first: str, second: str) -> None:
    """Symmetric, 0 to 1, and 1 for the same words."""
    assert 0 <= documents.dice(first, second) <= 1
    assert documents.dice(first, second) == documents.dice(second, first)
    assert documents.dice("Full name", "full  NAME") == 1


def test_json_answers_and_letters_without_a_glyph_can_be_drawn() -> None:
    """A long, foreign, deep submission makes a PDF of several pages, with a question mark for each unknown letter."""
    import pypdfium2

    drawn = printing.draw_blank("字 form", FormSchema.read({"fields": [{"name": "a", "label": "x " * 400}] * 1}))
    pdf = pypdfium2.PdfDocument(drawn.data)
    words = pdf[0].get_textpage()
    text = words.get_text_range()
    words.close()
    pdf.close()
    assert "? form" in text and json.dumps(drawn.name) == '"form-blank.pdf"'
