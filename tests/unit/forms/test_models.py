"""What visitors may send, and how forgivingly stored forms are read."""

from __future__ import annotations

import json
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.areas.forms import models
from shared.areas.forms.models import (
    Attribution,
    DraftResume,
    FormField,
    FormSchema,
    FormSettings,
    PublicForm,
    PublicSettings,
    Submission,
    Theme,
)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def test_both_bodies_say_the_same() -> None:
    """The platform's body and the reference's are one submission."""
    ours = Submission.model_validate(
        {"payload": {"name": "A"}, "attribution": {"landing_page": "https://a.test/x", "referrer": "https://b.test/"}}
    )
    theirs = Submission.model_validate(
        {"fields": {"name": "A"}, "metadata": {"page_url": "https://a.test/x", "referrer": "https://b.test/"}}
    )
    assert ours == theirs


@pytest.mark.parametrize(
    "payload",
    [
        [],
        "text",
        None,
        {"a": "\x00"},
        {"a": "\ud800"},
        {"\x00": 1},
        {"": 1},
        {"k" * 201: 1},
        {"a": "x" * 10_001},
        {"a": float("nan")},
        {"a": float("inf")},
        {"a": 2**60},
        {"a": [[[[1]]]]},
        {"a": list(range(1001))},
        {str(n): 1 for n in range(301)},
    ],
)
def test_a_payload_out_of_bounds_is_refused(payload: object) -> None:
    """Wrong type, depth, size, or a character that PostgreSQL cannot keep: refused at the door."""
    with pytest.raises(ValidationError):
        Submission.model_validate({"payload": payload})


def test_errors_do_not_quote_answers() -> None:
    """An error of a visitor's body can be logged: it holds no answer."""
    with pytest.raises(ValidationError) as caught:
        Submission.model_validate({"payload": {"diagnosis": "very private\x00"}})
    assert "private" not in str(caught.value)


@given(st.dictionaries(st.text(max_size=10), json_values, max_size=6))
def test_what_is_accepted_can_be_stored(payload: dict[str, object]) -> None:
    """Every accepted payload is JSON that PostgreSQL's jsonb takes."""
    try:
        accepted = Submission.model_validate({"payload": payload}).payload
    except ValidationError:
        return
    text = json.dumps(accepted, allow_nan=False, ensure_ascii=False)
    assert "\\u0000" not in json.dumps(accepted)
    text.encode()
    assert accepted == payload


@given(json_values)
def test_attribution_never_refuses(told: object) -> None:
    """Whatever a page tells of itself, the answers are taken, and what is kept can be stored."""
    sent = Submission.model_validate({"payload": {}, "attribution": told})
    json.dumps(sent.attribution.model_dump(), ensure_ascii=False).encode()
    assert Attribution.read(told) == sent.attribution


@given(st.dictionaries(st.sampled_from([*FormSettings.model_fields, "other"]), json_values))
def test_settings_are_always_readable(stored: dict[str, object]) -> None:
    """No stored value takes a published form down, and bounds hold."""
    settings = FormSettings.read(stored)
    assert 1 <= settings.resume_token_ttl_hours <= 720
    assert settings.custom_thank_you_message.strip()


@pytest.mark.parametrize("stored", [5, {"a": 1}, True, ["", 7], "example.com"])
def test_an_unreadable_allow_list_is_not_everywhere(stored: object) -> None:
    """A damaged allow-list must not open a form to all sites."""
    assert FormSettings.read({"domain_allowlist": stored}).domain_allowlist


def test_one_wrong_key_costs_only_itself() -> None:
    """The other settings stay."""
    settings = FormSettings.read(
        {"ctm_enabled": "perhaps", "ctm_conversion_action_id": 12, "email_recipients": "a@b.test"}
    )
    assert (settings.ctm_enabled, settings.ctm_conversion_action_id) == (False, "12")
    assert settings.email_recipients == ["a@b.test"]


@given(json_values)
def test_any_stored_schema_is_readable(stored: object) -> None:
    """A schema is read whatever stands in it."""
    FormSchema.read(stored)
    FormSchema.read({"fields": [stored], "steps": [stored], "theme": stored, "js_code": stored, "runtime_mode": stored})
    FormField.read({"name": "a", "options": stored, "validation": stored, "show_if": stored, "label": stored})


def test_fields_speak_one_language() -> None:
    """HTML's and other builders' words for a type are ours; a field without a name is no field."""
    schema = FormSchema.read(
        {
            "fields": [
                {"name": "a", "type": "tel"},
                {"name": "b", "type": "field", "inputType": "textarea"},
                {"name": "c", "type": "select", "options": ["x", {"value": 1, "label": "One"}, None]},
                {"label": "no name"},
                {"name": "a", "type": "date"},
            ]
        }
    )
    assert [(one.name, one.type) for one in schema.fields] == [("a", "phone"), ("b", "textarea"), ("c", "select")]
    assert [(one.value, one.label) for one in schema.fields[2].options] == [("x", "x"), ("1", "One")]


@pytest.mark.parametrize(
    ("stored", "code", "mode"),
    [
        ({"runtime_mode": "html"}, "const x", "html"),
        ({}, "  <form>", "html"),
        ({}, "const x", "react"),
        ({"runtime_mode": "docai"}, "<form>", "html"),
        ({"runtime_mode": "docai"}, "", "react"),
    ],
)
def test_mode(stored: dict[str, object], code: str, mode: str) -> None:
    """The stored mode counts, else the look of the code."""
    assert FormSchema.read(stored).mode_for(code) == mode


@given(json_values, st.text(), st.text())
def test_a_theme_is_only_a_theme(told: object, colour: str, font: str) -> None:
    """Nothing that could leave a CSS value gets into a theme."""
    for theme in (Theme.read(told), Theme.read({"colors": {"primary": colour}, "font": font, "radius": font})):
        for value in (*theme.colors.values(), theme.font, theme.radius):
            assert not set(value) & set(";{}<>\\\n*:")
            assert "url" not in value.replace(" ", "").lower() or "(" not in value


def test_public_form_goes_out_under_its_own_name() -> None:
    """P5 names the schema ``schema``."""
    form = PublicForm(
        id=uuid4(),
        name="F",
        form_type="conversion",
        react_code="",
        html_code="",
        css_code=None,
        schema_={"fields": []},
        runtime_mode="html",
        js_code="",
        version_number=1,
        settings=PublicSettings.of(FormSettings()),
    )
    sent = json.loads(form.model_dump_json())
    assert sent["schema"] == {"fields": []} and "schema_" not in sent
    assert sent["settings"]["resume_button_label"] == "Resume"


@pytest.mark.parametrize("token", ["", "A" * 64, "f" * 63, "f" * 65, "g" * 64])
def test_resume_tokens_have_one_form(token: str) -> None:
    """64 hex characters, nothing else reaches the database."""
    with pytest.raises(ValidationError):
        DraftResume.model_validate({"resume_token": token})


def test_bounds_are_those_promised() -> None:
    """The bounds the documentation names."""
    assert (models.MAX_DEPTH, models.MAX_TEXT_LENGTH) == (4, 10_000)
