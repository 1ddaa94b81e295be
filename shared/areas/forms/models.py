"""What goes over the wire and what is stored, for forms.

Visitors' bodies are read strictly (``Submission``, ``DraftSave``): a wrong type is a 400. What staff stored earlier is
read tolerantly (``FormSettings.read``, ``FormSchema.read``): one unreadable key must not take a published form down.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, Self, TypeVar
from uuid import UUID

from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from shared.areas.text import UNSTORABLE, storable

FormType = Literal["conversion", "intake"]
RuntimeMode = Literal["html", "react"]
JsonObject = dict[str, Any]
M = TypeVar("M", bound=BaseModel)

# Bounds of a visitor's answers. Generous for people, small enough that no body can tie up an instance.
MAX_DEPTH = 4
MAX_VALUES = 1000
MAX_KEYS = 300
MAX_KEY_LENGTH = 200
MAX_TEXT_LENGTH = 10_000
MAX_NUMBER = 2**53  # beyond it JavaScript no longer counts exactly
MAX_ATTRIBUTION_LENGTH = 2048


def _bounded(payload: JsonObject) -> JsonObject:
    """*payload* itself, or ValueError saying which bound it breaks; never quotes an answer."""
    waiting: list[tuple[object, int]] = [(payload, 1)]
    seen = 0
    while waiting:
        value, depth = waiting.pop()
        seen += 1
        if seen > MAX_VALUES:
            raise ValueError(f"has more than {MAX_VALUES} values")
        if isinstance(value, dict | list) and depth > MAX_DEPTH:
            raise ValueError(f"is nested deeper than {MAX_DEPTH} levels")
        if isinstance(value, dict):
            _check_keys(value)
            waiting.extend((child, depth + 1) for child in value.values())
        elif isinstance(value, list):
            waiting.extend((child, depth + 1) for child in value)
        else:
            _check_scalar(value)
    return payload


def _check_keys(value: dict[Any, object]) -> None:
    if len(value) > MAX_KEYS:
        raise ValueError(f"has more than {MAX_KEYS} keys")
    for key in value:
        if not isinstance(key, str) or not 0 < len(key) <= MAX_KEY_LENGTH or UNSTORABLE.search(key):
            raise ValueError(f"has a key that is empty, unreadable or longer than {MAX_KEY_LENGTH} characters")


def _check_scalar(value: object) -> None:
    if isinstance(value, str):
        if len(value) > MAX_TEXT_LENGTH:
            raise ValueError(f"has a text longer than {MAX_TEXT_LENGTH} characters")
        if UNSTORABLE.search(value):
            raise ValueError("has a character that is no text")
    elif isinstance(value, int | float) and not isinstance(value, bool):
        if not math.isfinite(value) or abs(value) > MAX_NUMBER:
            raise ValueError("has a number that is too large")
    elif value is not None and not isinstance(value, bool):
        raise ValueError("has a value that is no JSON")


# Errors of these bodies must not quote the answers: they reach logs.
_VISITOR = ConfigDict(extra="ignore", hide_input_in_errors=True)
Payload = Annotated[JsonObject, Field(strict=True), AfterValidator(_bounded)]


def _note(value: object) -> str | None:
    """A short text as the browser told it, cleaned; anything else is nothing. A visitor's answers never hang on it."""
    if not isinstance(value, str):
        return None
    return storable(value)[:MAX_ATTRIBUTION_LENGTH].strip() or None


Note = Annotated[str | None, BeforeValidator(_note)]


def _or_empty(value: object) -> object:
    return value if isinstance(value, Mapping | BaseModel) else {}


class Utms(BaseModel):
    utm_source: Note = None
    utm_medium: Note = None
    utm_campaign: Note = None
    utm_term: Note = None
    utm_content: Note = None


class Attribution(BaseModel):
    """Where the visitor came from, as their browser told: never trusted, never a reason to refuse answers."""

    utms: Annotated[Utms, BeforeValidator(_or_empty)] = Utms()
    referrer: Note = None
    landing_page: Note = None
    timestamp: Note = None
    ctm_session_id: Note = None
    gclid: Note = None
    fbclid: Note = None

    @classmethod
    def read(cls, told: object) -> Attribution:
        """Whatever was told, unknown keys dropped."""
        return cls.model_validate(_or_empty(told))


class Submission(BaseModel):
    """The body of a submit: the platform's ``{payload, attribution}`` or the reference's ``{fields, metadata}``."""

    model_config = _VISITOR

    payload: Payload = Field(validation_alias=AliasChoices("payload", "fields"))
    attribution: Annotated[Attribution, BeforeValidator(_or_empty)] = Attribution()
    page_token: str | None = Field(default=None, strict=True, max_length=2000)
    idempotency_key: str | None = Field(default=None, strict=True, pattern=r"^[A-Za-z0-9._:-]{8,100}$")

    @model_validator(mode="before")
    @classmethod
    def _reference_body(cls, body: object) -> object:
        """``metadata: {page_url, referrer}`` is attribution under other names; what attribution says wins."""
        if not isinstance(body, Mapping) or not isinstance(body.get("metadata"), Mapping):
            return body
        metadata = body["metadata"]
        told = {"landing_page": metadata.get("page_url"), "referrer": metadata.get("referrer")}
        return {**body, "attribution": {**told, **as_dict(body.get("attribution"))}}


def as_dict(value: object) -> dict[str, object]:
    """A JSON object as it is, anything else as an empty one."""
    return dict(value) if isinstance(value, Mapping) else {}


class SubmissionAccepted(BaseModel):
    success: Literal[True] = True
    submission_id: UUID
    message: str


class FileSent(BaseModel):
    """Which question of which page a visitor's file answers; it comes beside this, in the part ``file``."""

    model_config = _VISITOR

    page_token: str = Field(strict=True, max_length=2000)
    field: str = Field(strict=True, min_length=1, max_length=MAX_KEY_LENGTH + 2)


class FileTaken(BaseModel):
    """``file_id`` is the answer to the question, alone or in a list."""

    success: Literal[True] = True
    file_id: UUID
    name: str
    size: int  # bytes


class DraftSave(BaseModel):
    """Half-filled answers to be resumed later; ``email`` is only ever kept as a hash."""

    model_config = _VISITOR

    partial_payload: Payload
    email: str | None = Field(default=None, strict=True, max_length=254)
    page_token: str | None = Field(default=None, strict=True, max_length=2000)


class DraftSaved(BaseModel):
    success: Literal[True] = True
    resume_token: str  # 64 hex characters, shown once
    expires_at: datetime


class DraftResume(BaseModel):
    model_config = _VISITOR

    resume_token: str = Field(strict=True, pattern=r"^[0-9a-f]{64}$")


class DraftResumed(BaseModel):
    success: Literal[True] = True
    partial_payload: JsonObject
    last_saved_at: datetime


# --- what staff stored ------------------------------------------------------------------------------------------------

DEFAULT_THANKS = "Thank you. We have received your answers."


def _texts(value: object) -> list[str]:
    """A list of texts, also from one comma- or line-separated text."""
    parts: Iterable[object] = re.split(r"[,;\s]+", value) if isinstance(value, str) else value  # type: ignore[assignment]
    if not isinstance(parts, list):
        raise ValueError("must be a list of texts")
    return [part.strip() for part in parts if isinstance(part, str) and part.strip()]


def _allow_list(value: object) -> list[str]:
    """Every entry as text, also an unreadable one: which matches no host: an unreadable list is not *anywhere*."""
    if value is None:
        return []
    parts: list[object] = re.split(r"[,;\s]+", value) if isinstance(value, str) else value  # type: ignore[assignment]
    if not isinstance(parts, list):
        parts = [value]
    return [text for part in parts if (text := str(part).strip())]


def _text_or(default: str) -> BeforeValidator:
    return BeforeValidator(lambda value: value if isinstance(value, str) and value.strip() else default)


def _id_text(value: object) -> str | None:
    text = str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return text or None


def _no_bool(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("must be a number")
    return value


class FormSettings(BaseModel):
    """``forms.settings_json``: every key optional, unknown ones kept elsewhere."""

    email_recipients: Annotated[list[str], BeforeValidator(_texts)] = []
    email_on_submission: bool = True
    email_on_draft_resumed: bool = False
    save_and_resume_enabled: bool = False
    resume_token_ttl_hours: Annotated[
        int, BeforeValidator(_no_bool), AfterValidator(lambda hours: min(max(hours, 1), 720))
    ] = 72
    new_patient_button_label: Annotated[str, _text_or("Start New")] = "Start New"
    new_patient_button_helper: Annotated[str, _text_or("")] = ""
    resume_button_label: Annotated[str, _text_or("Resume")] = "Resume"
    resume_button_helper: Annotated[str, _text_or("")] = ""
    ctm_enabled: bool = False
    ctm_conversion_action_id: Annotated[str | None, BeforeValidator(_id_text)] = None
    ctm_five_star_enabled: bool = False
    domain_allowlist: Annotated[list[str], BeforeValidator(_allow_list)] = []
    custom_thank_you_message: Annotated[str, _text_or(DEFAULT_THANKS)] = DEFAULT_THANKS

    @classmethod
    def read(cls, stored: object) -> Self:
        """The stored settings; a key that cannot be read takes its default."""
        return _tolerant(cls, stored)


def _tolerant(model: type[M], stored: object) -> M:
    given = as_dict(stored)
    try:
        return model.model_validate(given)
    except ValidationError as error:
        wrong = {problem["loc"][0] for problem in error.errors(include_input=False, include_url=False)}
        return model.model_validate({key: value for key, value in given.items() if key not in wrong})


FIELD_TYPES = frozenset(
    {"text", "email", "phone", "select", "radio", "checkbox", "date", "number", "textarea", "file", "hidden"}
)
# Other words for a field's type: HTML's, the models' that write forms, and Document AI's.
_TYPES = {
    "tel": "phone",
    "string": "text",
    "dropdown": "select",
    "radio_group": "radio",
    "checkbox_group": "checkbox",
    "checkboxes": "checkbox",
    "boolean": "checkbox",
    "integer": "number",
    "upload": "file",
    "field": "text",
}


class Option(BaseModel):
    value: str
    label: str


def _option(value: object) -> Option | None:
    told = value if isinstance(value, Mapping) else {"value": value}
    chosen = told.get("value", told.get("label"))
    if not isinstance(chosen, str | int | float) or isinstance(chosen, bool):
        return None
    label = told.get("label")
    return Option(value=str(chosen), label=label if isinstance(label, str) and label else str(chosen))


class ShowIf(BaseModel):
    """One condition on another field. An operator nobody knows holds always: a question is rather shown than lost."""

    field: str
    operator: str = "equals"
    value: Any = None


def _conditions(value: object) -> list[object]:
    found = value if isinstance(value, list) else [value]
    return [one for one in found if isinstance(one, Mapping) and isinstance(one.get("field"), str)]


class FormField(BaseModel):
    """One question.

    ``type`` is one of text, email, phone, select, radio, checkbox, date, number, textarea, file, hidden; any other word
    is asked and checked as text. ``options`` of a checkbox make it a group. All of ``show_if`` must hold.
    """

    model_config = ConfigDict(extra="allow")

    name: str = Field(min_length=1, max_length=MAX_KEY_LENGTH)
    type: str = "text"
    label: str = ""
    required: bool = False
    options: list[Option] = []
    placeholder: str = ""
    help: str = ""
    default: str = ""  # hidden: what is sent
    pattern: str | None = None
    pattern_message: str = ""
    max_length: int | None = None
    min: float | str | None = None
    max: float | str | None = None
    show_if: list[ShowIf] = []
    accept: str = ""  # file: as HTML's attribute
    max_size_mb: float | None = None  # file: none, or more than ten, is ten
    multiple: bool = False  # file: takes several

    @classmethod
    def read(cls, stored: object) -> FormField | None:
        """The stored field, or None when it has no usable name."""
        told = as_dict(stored)
        name = told.get("name")
        if not isinstance(name, str) or not 0 < len(name.strip()) <= MAX_KEY_LENGTH:
            return None
        kind = str(told.get("inputType") or told.get("type") or "text").strip().lower()
        rules = as_dict(told.get("validation"))
        options = told.get("options")
        return _tolerant(
            cls,
            {
                **told,
                "name": name.strip(),
                "type": _TYPES.get(kind, kind),
                "label": told.get("label") or name.strip().replace("_", " ").capitalize(),
                "options": [one for one in map(_option, options if isinstance(options, list) else []) if one],
                "pattern": rules.get("pattern") or None,
                "pattern_message": rules.get("message") or "",
                "max_length": rules.get("maxLength") or rules.get("max_length") or told.get("max_length"),
                "min": _either(rules.get("min"), told.get("min")),
                "max": _either(rules.get("max"), told.get("max")),
                "show_if": _conditions(told.get("show_if")),
            },
        )


def _either(first: object, second: object) -> object:
    return second if first is None else first


class FormStep(BaseModel):
    title: str = ""
    fields: list[str] = []
    show_if: Annotated[list[ShowIf], BeforeValidator(_conditions)] = []


# What may become CSS. A page's style is the staff's; a theme may also come with the embed, so it is read as data.
_COLOR = re.compile(r"#[0-9a-fA-F]{3,8}|[a-zA-Z]{3,30}|(?:rgb|hsl)a?\([0-9.,%/ ]{3,40}\)")
_FONT = re.compile(r"[A-Za-z0-9 ,'\"_-]{1,200}")
_LENGTH = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,2})?(?:px|rem|em|%)?")


class Theme(BaseModel):
    """Colours, font and corner radius, kept only where they cannot be anything but that."""

    colors: dict[str, str] = {}
    font: str = ""
    radius: str = ""

    @classmethod
    def read(cls, told: object) -> Theme:
        given = as_dict(told)
        colors = {
            name: value
            for name, value in as_dict(given.get("colors")).items()
            if re.fullmatch(r"[a-z][a-z0-9-]{0,30}", str(name)) and isinstance(value, str) and _COLOR.fullmatch(value)
        }
        font, radius = given.get("font"), given.get("radius")
        radius = f"{radius}px" if isinstance(radius, int) and not isinstance(radius, bool) else radius
        quoted = isinstance(font, str) and font.count('"') % 2 == 0 and font.count("'") % 2 == 0
        return cls(
            colors=dict(list(colors.items())[:20]),
            font=font if isinstance(font, str) and quoted and _FONT.fullmatch(font) else "",
            radius=radius if isinstance(radius, str) and _LENGTH.fullmatch(radius) else "",
        )

    def over(self, other: Theme) -> Theme:
        """This theme laid over *other*."""
        return Theme(
            colors={**other.colors, **self.colors}, font=self.font or other.font, radius=self.radius or other.radius
        )


class FormSchema(BaseModel):
    """``form_versions.schema_json``, the part that this service understands; the builder keeps more keys in it."""

    model_config = ConfigDict(extra="allow")

    fields: list[FormField] = []
    steps: list[FormStep] = []
    theme: Theme = Theme()
    runtime_mode: RuntimeMode | None = None
    js_code: str = ""

    @classmethod
    def read(cls, stored: object) -> FormSchema:
        """The stored schema; fields without a name are dropped, of two with one name the first stays."""
        told = as_dict(stored)
        fields, steps = told.get("fields"), told.get("steps")
        named: dict[str, FormField] = {}
        for one in map(FormField.read, fields if isinstance(fields, list) else []):
            if one:
                named.setdefault(one.name, one)
        return _tolerant(
            cls,
            {
                **told,
                "fields": list(named.values()),
                "steps": [_tolerant(FormStep, step) for step in (steps if isinstance(steps, list) else [])],
                "theme": Theme.read(told.get("theme")),
            },
        )

    def mode_for(self, code: str) -> RuntimeMode:
        """How the form is drawn: what was stored, else html when the code looks like markup, else from its fields.

        A Document AI schema names a mode of its own that no page knows; its form is drawn from its fields.
        """
        return self.runtime_mode or ("html" if code.lstrip().startswith("<") else "react")

    @field_validator("js_code", mode="before")
    @classmethod
    def _no_code(cls, value: object) -> object:
        return value if isinstance(value, str) else ""


class PublicSettings(BaseModel):
    """What of a form's settings a visitor may know."""

    save_and_resume_enabled: bool
    new_patient_button_label: str
    resume_button_label: str
    custom_thank_you_message: str

    @classmethod
    def of(cls, settings: FormSettings) -> PublicSettings:
        return cls.model_validate(settings.model_dump(include=set(cls.model_fields)))


class PublicForm(BaseModel):
    """A published form as its page sees it (``GET /embed/{form_id}``). ``schema`` goes out as it is stored."""

    model_config = ConfigDict(serialize_by_alias=True)

    id: UUID
    name: str
    form_type: FormType
    react_code: str
    html_code: str
    css_code: str | None
    schema_: JsonObject = Field(serialization_alias="schema")
    runtime_mode: RuntimeMode
    js_code: str
    version_number: int
    settings: PublicSettings
