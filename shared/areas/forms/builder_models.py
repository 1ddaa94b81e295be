"""What goes over the wire for the forms builder. Spec api-forms §1 and §2."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Final, Literal, Self
from uuid import UUID

from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from shared.areas.forms import rules
from shared.areas.forms.models import FormSettings, FormType, JsonObject
from shared.areas.text import LongText, blank_is_none, without_nul

Status = Literal["draft", "published", "archived"]
MAX_CODE: Final = 500_000  # characters of a version's markup, style or script
MAX_SCHEMA_VALUES: Final = 50_000
MAX_SCHEMA_DEPTH: Final = 20

Name = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), AfterValidator(without_nul)
]
Code = Annotated[str, Field(max_length=MAX_CODE), AfterValidator(without_nul)]
SomeCode = Annotated[Code, StringConstraints(min_length=1, pattern=r"\S")]
Description = Annotated[LongText | None, BeforeValidator(blank_is_none)]


def _storable(told: JsonObject) -> JsonObject:
    """*told* itself, or ValueError: what PostgreSQL cannot keep, or what nobody would ever write."""
    waiting: list[tuple[object, int]] = [(told, 1)]
    seen = 0
    while waiting:
        value, depth = waiting.pop()
        seen += 1
        if seen > MAX_SCHEMA_VALUES or depth > MAX_SCHEMA_DEPTH:
            raise ValueError("is too large or nested too deeply")
        if isinstance(value, dict):
            waiting.extend((key, depth) for key in value)
            waiting.extend((child, depth + 1) for child in value.values())
        elif isinstance(value, list):
            waiting.extend((child, depth + 1) for child in value)
        elif isinstance(value, str) and ("\x00" in value or not _is_text(value)):
            raise ValueError("has a character that is no text")
        elif isinstance(value, float) and value - value != 0:
            raise ValueError("has a number that is none")
    return told


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


StoredJson = Annotated[JsonObject, AfterValidator(_storable)]


def _or_empty(value: object) -> object:
    return {} if value is None else value


def _is_told(value: object) -> bool:
    return value is not None and (not isinstance(value, str) or bool(value.strip()))


def _recipients(told: list[str]) -> list[str]:
    wrong = [one for one in told if not rules.is_email(one)]
    if wrong or len(told) > 50:
        raise ValueError("must be at most 50 e-mail addresses")
    return told


def _hosts(told: list[str]) -> list[str]:
    if len(told) > 200 or any(rules.host_of(one.removeprefix("*.")) is None for one in told):
        raise ValueError("must be at most 200 hosts, such as example.com")
    return told


class SettingsIn(FormSettings):
    """A form's settings as staff send them: read like the stored ones, but what cannot be used is refused.

    ``retention_days``: after how many days submissions are deleted; none keeps them. Unknown keys are kept.
    """

    model_config = ConfigDict(extra="allow")

    retention_days: Annotated[int, Field(ge=1, le=3650)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _told(cls, sent: object) -> object:
        """Null and blank are no settings: the default counts. The dashboard sends back what the old server kept."""
        if not isinstance(sent, dict):
            return sent
        return {name: value for name, value in sent.items() if name not in cls.model_fields or _is_told(value)}

    @model_validator(mode="after")
    def _usable(self) -> Self:
        _recipients(self.email_recipients)
        _hosts(self.domain_allowlist)
        _storable(self.model_extra or {})
        return self


class CreateForm(BaseModel):
    """A new form. ``client_id`` (also ``org_id``): whose it is; none, the agency's own.

    The reference's ``schema`` is the definition of a form that is drawn from its fields.
    """

    name: Name
    form_type: FormType = "conversion"
    description: Description = None
    settings: Annotated[SettingsIn, BeforeValidator(_or_empty)] = Field(
        default_factory=SettingsIn, validation_alias=AliasChoices("settings", "settings_json")
    )
    client_id: UUID | None = Field(default=None, validation_alias=AliasChoices("client_id", "org_id"))
    definition: StoredJson | None = Field(default=None, validation_alias=AliasChoices("schema", "schema_json"))


class UpdateForm(BaseModel):
    """What changes; an absent key stays as it is. ``settings_json`` replaces the settings as a whole."""

    name: Name | None = None
    description: Description = None
    form_type: FormType | None = None
    status: Status | None = None
    settings_json: SettingsIn | None = None
    client_id: UUID | None = Field(default=None, validation_alias=AliasChoices("client_id", "org_id"))


class SaveVersion(BaseModel):
    """A version to be kept. ``base_version_id``: the one the editor began from; if another was saved since, 409."""

    react_code: Code
    css_code: Code | None = None
    definition: Annotated[StoredJson, BeforeValidator(_or_empty)] = Field(
        default_factory=lambda: {"fields": []}, alias="schema_json"
    )
    base_version_id: UUID | None = None


class DuplicateForm(BaseModel):
    """A copy of a form. ``client_id``, when it is there, names whose the copy is (null: the agency's own)."""

    name: Name | None = None
    client_id: UUID | None = None


class ListQuery(BaseModel):
    """Which forms: of one client, of one state. All of them without either."""

    client_id: UUID | None = None
    status: Status | None = None


class PageQuery(BaseModel):
    limit: Annotated[int, Field(ge=1, le=1000)] = 50
    offset: Annotated[int, Field(ge=0, le=10_000_000)] = 0


class StatsQuery(BaseModel):
    """The last ``days`` days, today among them."""

    days: Annotated[int, Field(ge=1, le=366)] = 30


class ExportQuery(BaseModel):
    """``answers`` of an intake are health data: left out unless an admin asks for them. Days are UTC, both included."""

    answers: bool | None = None
    since: date | None = None
    until: date | None = None


class PreviewQuery(BaseModel):
    """``version``: which one is shown; the newest without it."""

    version: UUID | None = None


class PrintQuery(BaseModel):
    """``autoprint=1`` opens the browser's print dialog."""

    autoprint: Literal["", "0", "1", "true", "false"] = "0"

    @property
    def opens_dialog(self) -> bool:
        return self.autoprint in ("1", "true")


class CompileCode(BaseModel):
    react_code: Code = ""


class Compiled(BaseModel):
    code: str


# --- the AI -----------------------------------------------------------------------------------------------------------

Instructions = Annotated[LongText, BeforeValidator(lambda value: "" if value is None else value)]


class DocumentTexts(BaseModel):
    """What comes beside the uploaded document."""

    instructions: Instructions = ""


class Describe(BaseModel):
    """A form in words."""

    description: Annotated[LongText, StringConstraints(min_length=1, pattern=r"\S")] = Field(
        validation_alias=AliasChoices("description", "prompt", "instructions")
    )


class EditCode(BaseModel):
    """What to change, and the code to change; without it, that of the newest version."""

    instruction: Annotated[LongText, StringConstraints(min_length=1, pattern=r"\S")]
    current_code: Code | None = None
    current_css: Code | None = None
    current_js: Code | None = None


class ReadCode(BaseModel):
    react_code: SomeCode


class Generated(BaseModel):
    """A form that the AI made: to be looked at, then saved as a version."""

    model_config = ConfigDict(serialize_by_alias=True)

    success: Literal[True] = True
    react_code: str
    css_code: str
    js_code: str = ""
    schema_: JsonObject = Field(serialization_alias="schema")
    explanation: str


class Edited(BaseModel):
    success: Literal[True] = True
    react_code: str
    css_code: str
    js_code: str
    changes_made: list[str]
    explanation: str
    diff: dict[str, list[dict[str, Any]]]  # code, css, js → Diff of spec §1


class DerivedSchema(BaseModel):
    model_config = ConfigDict(serialize_by_alias=True)

    success: Literal[True] = True
    schema_: JsonObject = Field(serialization_alias="schema")


class PageStarted(BaseModel):
    """A visitor began to answer; the page's token says on which form."""

    page_token: Annotated[str, Field(strict=True, max_length=2000)]
