"""What may be sent through a form, and what must be done with it: pure rules, the clock comes as an argument."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import math
import re
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any, Final, Literal, NamedTuple
from urllib.parse import urlsplit
from uuid import UUID

from shared.areas.forms.models import (
    Attribution,
    FormField,
    FormSchema,
    FormSettings,
    FormType,
    JsonObject,
    ShowIf,
)
from shared.errors import Forbidden, Invalid, TooManyRequests

SUBMITS_PER_IP_PER_MINUTE: Final = 30  # over page, runtime, data, submit and drafts together
SUBMITS_PER_FORM_PER_MINUTE: Final = 600
PAGE_LIFETIME: Final = timedelta(hours=4)
MIN_FILL_TIME: Final = timedelta(seconds=2)  # nobody reads and answers a form faster
CLOCK_SKEW: Final = timedelta(seconds=30)  # between the instance that signed a page and the one that checks it
HONEYPOT: Final = "website_url_confirm"  # a field no person sees
MAX_ATTEMPTS: Final = 5
UPLOADS_PER_IP_PER_MINUTE: Final = 30
UPLOADS_PER_FORM_PER_MINUTE: Final = 120
MAX_FILES: Final = 10  # of one question that takes several
MAX_FILE_BYTES: Final = 10 * 1024 * 1024
CHOOSE_AGAIN: Final = "Please choose the file again."

# --- where a form may be shown ----------------------------------------------------------------------------------------


def host_of(text: str | None) -> str | None:
    """The host of a URL or of a bare entry: lower case, ASCII (IDNA), no trailing dot; None when there is none."""
    if not text or len(text) > 4096 or re.search(r"[\x00-\x20\\]", text := text.strip()):
        return None
    try:
        split = urlsplit(text if "://" in text else f"//{text}")
        host = (split.hostname or "").removesuffix(".")
        split.port  # noqa: B018  # raises on a port that is no number
        host = host if host.isascii() else _ascii(host)
    except ValueError:  # an impossible port, bracket or label
        return None
    return host if re.fullmatch(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|[0-9a-f:.]*:[0-9a-f:.]*", host) else None


def _ascii(host: str) -> str:
    """As browsers do it (UTS 46); raises ValueError for what is no name."""
    import idna

    return idna.encode(host, uts46=True).decode("ascii")


def origin_of(url: str | None) -> str | None:
    """``https://www.example.com:8443`` for any URL of that page; None for anything that is no http(s) URL."""
    if not url or len(url) > 4096:
        return None
    try:
        split = urlsplit(url.strip())
        scheme, port = split.scheme.lower(), split.port
    except ValueError:
        return None
    host = host_of(url) if scheme in ("http", "https") and split.netloc else None
    if host is None:
        return None
    host = f"[{host}]" if ":" in host else host
    default = {"http": 80, "https": 443}[scheme]
    return f"{scheme}://{host}" if port in (None, default) else f"{scheme}://{host}:{port}"


def domain_allowed(origin: str | None, allow_list: Iterable[str]) -> bool:
    """Whether a page of *origin* may show the form: its host is an entry or a subdomain of one.

    An empty list means everywhere. An entry is a host (``example.com``, ``*.example.com``) or a URL, whose host counts.
    Never a substring: ``example.com.evil.net`` and ``notexample.com`` are strangers to ``example.com``.
    """
    entries = list(allow_list)
    if not entries:
        return True
    host = host_of(origin)
    if host is None:
        return False
    allowed = filter(None, (host_of(entry.removeprefix("*.")) for entry in entries))
    return any(host == entry or host.endswith(f".{entry}") for entry in allowed)


def frame_ancestors(allow_list: Iterable[str]) -> list[str]:
    """The allow-list as CSP sources: each host and its subdomains, over https and http, on any port."""
    hosts = dict.fromkeys(
        host for entry in allow_list if (host := host_of(entry.removeprefix("*."))) and ":" not in host
    )
    return [f"{scheme}://{name}:*" for host in hosts for name in (host, f"*.{host}") for scheme in ("https", "http")]


# --- the page a submission comes from ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Page:
    """One rendered form page: which form and version it shows, on whose site, since when."""

    form_id: UUID
    version_id: UUID
    origin: str | None  # of the page that frames it; None when the browser did not say
    issued_at: datetime


_TOKEN_PURPOSE = b"form-page-v1\0"  # the key signs other things too: none of them is a page token


def sign_page(page: Page, key: bytes) -> str:
    """The page's token: what it says, and an HMAC-SHA256 over it."""
    said = {"f": page.form_id.hex, "v": page.version_id.hex, "o": page.origin, "t": page.issued_at.timestamp()}
    body = _base64(json.dumps(said, separators=(",", ":")).encode())
    return f"{body}.{_base64(_mac(body, key))}"


def read_page(token: str, key: bytes, *, form_id: UUID, now: datetime) -> Page:
    """The page *token* was issued for.

    Forged, broken, from the future or of another form: Forbidden ``PAGE_TOKEN_INVALID``. Older than four hours: Invalid
    ``PAGE_EXPIRED``. The version is not compared with the published one: a page opened before a new version went live
    is still submitted, and checked against the version it showed.
    """
    body, _, signature = token.partition(".")
    if not hmac.compare_digest(_base64(_mac(body, key)).encode(), signature.encode("utf-8", "replace")):
        raise _invalid_token()
    try:
        said = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        issued_at = datetime.fromtimestamp(said["t"], UTC)
        page = Page(UUID(said["f"]), UUID(said["v"]), said["o"], issued_at)
    except (ValueError, KeyError, TypeError) as error:  # our signature under something this version does not know
        raise _invalid_token() from error
    if page.form_id != form_id or page.issued_at > now + CLOCK_SKEW:
        raise _invalid_token()
    if now - page.issued_at > PAGE_LIFETIME:
        raise Invalid("This page was opened too long ago. Please reload it.", code="PAGE_EXPIRED")
    return page


def _invalid_token() -> Forbidden:
    return Forbidden("This page is not valid for this form. Please reload it.", code="PAGE_TOKEN_INVALID")


def _mac(body: str, key: bytes) -> bytes:
    return hmac.digest(key, _TOKEN_PURPOSE + body.encode("utf-8", "replace"), "sha256")


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def parent_origin(referer: str | None, attribution: Attribution) -> str | None:
    """The site that frames a page: by the request's Referer, else by what the embed script said of it.

    Either can be made up by a program, neither by a foreign site: browsers hold that one off with ``frame-ancestors``.
    """
    return origin_of(referer) or origin_of(attribution.landing_page)


def check_sender(page: Page | None, origin: str | None, settings: FormSettings) -> None:
    """Refuse a submission from a place the form may not be shown at (Forbidden ``DOMAIN_NOT_ALLOWED``).

    The page's own origin counts; without a page, the *origin* that the browser names in its header. A form with an
    allow-list therefore takes no submission that names neither.
    """
    if not domain_allowed(page.origin if page else origin, settings.domain_allowlist):
        raise Forbidden("This form may not be used on this site.", code="DOMAIN_NOT_ALLOWED")


def check_human(payload: JsonObject, page: Page | None, now: datetime) -> JsonObject:
    """*payload* without the honeypot, or the reason why no person can have sent it.

    A bot is told so: Invalid ``LOOKS_AUTOMATED`` or TooManyRequests ``TOO_FAST``. An answer that looks like success
    would be kinder to us, but every rule of this kind also catches people (form fillers, very short forms), and they
    must learn that nothing was sent. Naming the reason costs little: whoever reads answers can also read this source.
    """
    if payload.get(HONEYPOT) not in (None, "", False, []):
        raise Invalid("These answers look automated, because a hidden field was filled in.", code="LOOKS_AUTOMATED")
    if page and now - page.issued_at < MIN_FILL_TIME:
        raise TooManyRequests("That was very fast. Please send the form again.", retry_after_s=2, code="TOO_FAST")
    return {key: value for key, value in payload.items() if key != HONEYPOT}


# --- which questions are asked ----------------------------------------------------------------------------------------


def shown_fields(schema: FormSchema, payload: Mapping[str, object]) -> list[FormField]:
    """The fields whose conditions hold, in order; a hidden field's answer counts as none for those that ask for it.

    The fields runtime decides the same way in the browser; one table of cases holds both to it.
    """
    # a field stands in the first step that names it
    by_step = {name: step.show_if for step in reversed(schema.steps) for name in step.fields}
    conditions = {one.name: [*by_step.get(one.name, []), *one.show_if] for one in schema.fields}
    shown = set(conditions)
    for _ in conditions:  # a round settles one more link of a chain; conditions in a circle end where the rounds end
        answers = {name: payload.get(name) for name in (*payload, *shown) if name in shown or name not in conditions}
        settled = {name for name, all_of in conditions.items() if all(holds(c, answers.get(c.field)) for c in all_of)}
        if settled == shown:
            break
        shown = settled
    return [one for one in schema.fields if one.name in shown]


def holds(condition: ShowIf, answer: object) -> bool:
    """Whether *answer* meets the condition; texts compare without case, a group of boxes by any of its values."""
    given = list(filter(None, map(_plain, _listed(answer))))
    wanted = [_plain(one) for one in _listed(condition.value)]
    match condition.operator.strip().lower():
        case "equals" | "is" | "eq" | "==" | "in":
            return any(one in given for one in wanted) if any(wanted) else not given
        case "not_equals" | "is_not" | "neq" | "!=" | "not_in":
            return not any(one in given for one in wanted) if any(wanted) else bool(given)
        case "contains":
            return any(one in text for text in given for one in wanted)
        case "not_contains":
            return not any(one in text for text in given for one in wanted)
        case "empty":
            return not given
        case "not_empty":
            return bool(given)
        case "gt" | ">":
            return _exceeds(given, wanted)
        case "lt" | "<":
            return _exceeds(wanted, given)
        case _:
            return True


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


def _plain(value: object) -> str:
    """How an answer is compared: an unchecked box is no answer, a whole number has no fraction."""
    match value:
        case None | False:
            return ""
        case True:
            return "true"
        case float() if value.is_integer():
            return str(int(value))
        case str() | int() | float():
            return str(value).strip().lower()
        case _:
            return ""


def _exceeds(larger: Iterable[str], smaller: Iterable[str]) -> bool:
    high, low = _number(next(iter(larger), "")), _number(next(iter(smaller), ""))
    return high is not None and low is not None and high > low


def _number(value: object) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return float(value)
    if isinstance(value, str) and re.fullmatch(r"\s*[+-]?[0-9]{1,15}(\.[0-9]{1,10})?\s*", value):
        return float(value)
    return None


# --- whether the answers are right ------------------------------------------------------------------------------------


class Checked(NamedTuple):
    """The answers to keep, and what is wrong with them as ``{"field", "message"}``."""

    payload: JsonObject
    errors: list[dict[str, str]]


class _Wrong(Exception):
    """An answer that cannot be taken, with what to tell the visitor."""


MAX_LINE = 1000
MAX_UNASKED = 100
_EMAIL = re.compile(
    r"[^\s@<>\"(),;:\\\[\]]{1,64}@(?:[^\s@<>\"(),;:\\\[\]._-](?:[^\s@<>\"(),;:\\\[\]._]*)\.)+[^\W\d_][\w-]{1,62}"
)
_PHONE = re.compile(r"[+(]?[0-9][0-9 ()./-]{4,30}[0-9)](?:\s*(?:x|ext\.?|#)\s*[0-9]{1,6})?", re.IGNORECASE)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_YES, _NO = {"on", "true", "yes", "1"}, {"", "off", "false", "no", "0"}


def check_answers(schema: FormSchema, payload: JsonObject) -> Checked:
    """Check *payload* against the version's fields; the answers come back in the order of the questions.

    Answers to questions that are not shown are dropped and never required. Keys that are no field stay as they came
    (authors' pages have inputs of their own), at most a hundred of them once a form has fields.
    """
    if not schema.fields:
        return Checked(payload, [])
    asked = {one.name for one in schema.fields}
    payload = _by_question(asked, payload)
    kept: JsonObject = {}
    errors: list[dict[str, str]] = []
    for one in shown_fields(schema, payload):
        try:
            value = _checked(one, payload.get(one.name))
        except _Wrong as wrong:
            errors.append({"field": one.name, "message": str(wrong)})
            continue
        if value is not None:
            kept[one.name] = value
    unasked = {key: value for key, value in payload.items() if key not in asked}
    if len(unasked) > MAX_UNASKED:
        errors.append({"field": "payload", "message": f"has more than {MAX_UNASKED} answers to questions not asked"})
    return Checked({**kept, **unasked}, errors)


def _by_question(asked: Container[str], payload: JsonObject) -> JsonObject:
    """The answers under the names of their questions: authors call the inputs of a group ``services[]``."""
    bare = {key: key.removesuffix("[]") for key in payload}
    return {bare[key] if bare[key] in asked and bare[key] not in payload else key: payload[key] for key in payload}


def _checked(asked: FormField, answer: object) -> object:
    """The answer in its normal form, None when there is none; raises _Wrong."""
    kind = "group" if asked.type == "checkbox" and asked.options else asked.type
    value = _CHECKS.get(kind, _text)(asked, answer)
    if value is None and asked.required:
        raise _Wrong("Please answer this question.")
    return value


def _line(answer: object, limit: int = MAX_LINE) -> str | None:
    if answer is None:
        return None
    if isinstance(answer, bool) or not isinstance(answer, str | int | float):
        raise _Wrong("Please enter text.")
    text = str(answer).strip()
    if len(text) > limit:
        raise _Wrong(f"Please use at most {limit} characters.")
    return text or None


def _text(asked: FormField, answer: object) -> str | None:
    longest = 10_000 if asked.type == "textarea" else MAX_LINE
    text = _line(answer, min(asked.max_length, longest) if asked.max_length and asked.max_length > 0 else longest)
    if text is not None:
        _check_pattern(asked, text)
    return text


def _email(asked: FormField, answer: object) -> str | None:
    text = _line(answer, 254)
    if text is not None and not is_email(text):
        raise _Wrong("Please enter an e-mail address, such as name@example.com.")
    if text is not None:
        _check_pattern(asked, text)
    return text


def is_email(text: str) -> bool:
    """Whether mail could be sent there: one address, no display name, a domain with a dot."""
    dots = text.startswith(".") or ".." in text or ".@" in text
    return len(text) <= 254 and not dots and _EMAIL.fullmatch(text) is not None


def _phone(asked: FormField, answer: object) -> str | None:
    text = _line(answer, 50)
    if text is not None and not is_phone(text):
        raise _Wrong("Please enter a phone number with area code.")
    if text is not None:
        _check_pattern(asked, text)
    return text


def is_phone(text: str) -> bool:
    """Whether this is a phone number: 7 to 15 digits in the usual notations, perhaps with an extension."""
    number = re.split(r"x|e|#", text, maxsplit=1, flags=re.IGNORECASE)[0]
    digits = sum(char in "0123456789" for char in number)
    return _PHONE.fullmatch(text.strip()) is not None and 7 <= digits <= 15


def _choice(asked: FormField, answer: object) -> str | None:
    text = _line(answer)
    if text is not None and asked.options and text not in {option.value for option in asked.options}:
        raise _Wrong("Please choose one of the options.")
    return text


def _group(asked: FormField, answer: object) -> list[str] | None:
    given = [] if answer is None or isinstance(answer, bool) else _listed(answer)
    chosen = list(dict.fromkeys(text for one in given if (text := _line(one))))
    if any(text not in {option.value for option in asked.options} for text in chosen):
        raise _Wrong("Please choose among the options.")
    return chosen or (None if asked.required else [])


def _box(asked: FormField, answer: object) -> bool | str | None:
    """A single box: true or false, or the value its author gave it."""
    if isinstance(answer, list):
        answer = answer[0] if answer else None
    ticked: bool | str = answer if isinstance(answer, bool) else (_line(answer) or "")
    if isinstance(ticked, str) and ticked.lower() in _YES | _NO:
        ticked = ticked.lower() in _YES
    return None if asked.required and ticked is False else ticked


def _date(asked: FormField, answer: object) -> str | None:
    text = _line(answer, 10)
    if text is None:
        return None
    try:
        if not _DATE.fullmatch(text):
            raise ValueError
        date.fromisoformat(text)
    except ValueError:
        raise _Wrong("Please enter a date.") from None
    if isinstance(asked.min, str) and _DATE.fullmatch(asked.min) and text < asked.min:
        raise _Wrong(f"Please enter a date not before {asked.min}.")
    if isinstance(asked.max, str) and _DATE.fullmatch(asked.max) and text > asked.max:
        raise _Wrong(f"Please enter a date not after {asked.max}.")
    return text


def _numeric(asked: FormField, answer: object) -> float | int | None:
    if answer is None or (isinstance(answer, str) and not answer.strip()):
        return None
    number = _number(answer)
    if number is None or not math.isfinite(number):
        raise _Wrong("Please enter a number.")
    low, high = _number(asked.min), _number(asked.max)
    if low is not None and number < low:
        raise _Wrong(f"Please enter a number of at least {_plain(low)}.")
    if high is not None and number > high:
        raise _Wrong(f"Please enter a number of at most {_plain(high)}.")
    return int(number) if number.is_integer() else number


def _file(asked: FormField, answer: object) -> list[str] | None:
    """The ids of files that were sent before (``attachments``)."""
    given = [] if answer in (None, "", [], {}) else _listed(answer)
    try:
        ids = list(dict.fromkeys(str(UUID(str(one))) for one in given))
    except ValueError:
        raise _Wrong(CHOOSE_AGAIN) from None
    if len(ids) > (MAX_FILES if asked.multiple else 1):
        raise _Wrong(f"Please choose at most {MAX_FILES} files." if asked.multiple else "Please choose one file.")
    return ids or None


_CHECKS: dict[str, Callable[[FormField, object], object]] = {
    "email": _email,
    "phone": _phone,
    "select": _choice,
    "radio": _choice,
    "checkbox": _box,
    "group": _group,
    "date": _date,
    "number": _numeric,
    "file": _file,
}


def _check_pattern(asked: FormField, text: str) -> None:
    """Match the whole text, as HTML's attribute does. A pattern that cannot be read binds nobody, as in a browser."""
    matches = _pattern(asked.pattern) if asked.pattern else None
    if matches and not matches(text):
        raise _Wrong(asked.pattern_message or "Please use the requested format.")


@lru_cache(maxsize=256)
def _pattern(pattern: str) -> Callable[[str], object] | None:
    """A matcher in time linear to the text (RE2): no author can write a pattern that hangs us."""
    import re2  # type: ignore[import-untyped]

    options = re2.Options()
    options.log_errors = False
    options.max_mem = 1 << 20
    try:
        compiled = re2.compile(pattern, options) if len(pattern) <= MAX_LINE else None
    except re2.error:
        return None
    return compiled.fullmatch if compiled else None


def schema_problems(schema: FormSchema) -> list[dict[str, str]]:
    """What an author should be told before a version is saved: patterns and conditions that would bind nobody."""
    names = {one.name for one in schema.fields}
    problems = [
        {
            "field": one.name,
            "message": "has a pattern that cannot be checked (look-around and back references are not known)",
        }
        for one in schema.fields
        if one.pattern and _pattern(one.pattern) is None
    ]
    problems += [
        {"field": one.name, "message": f"depends on a field that does not exist: {condition.field}"}
        for one in schema.fields
        for condition in one.show_if
        if condition.field not in names
    ]
    missing = sorted({name for step in schema.steps for name in step.fields} - names)
    return problems + [{"field": name, "message": "is in a step but is no field"} for name in missing]


# --- what must be done with a submission ------------------------------------------------------------------------------

StepKind = Literal["classification", "ctm_conversion", "email_notification"]


@dataclass(frozen=True, slots=True)
class Step:
    """One piece of work for a submission, done at most once under its ``key``; ``skipped`` says why it is not done."""

    kind: StepKind
    key: str
    recipient: str | None = None
    skipped: str | None = None


def steps_for(submission_id: UUID, form_type: FormType, settings: FormSettings) -> list[Step]:
    """Every step of a submission, in order: classification, CTM, one mail for each recipient.

    A step that is not wanted is there too, with its reason: what was not done can be told from what was forgotten.
    """
    return [
        Step("classification", f"class_{submission_id}", skipped=_why_not_classified(form_type)),
        Step("ctm_conversion", f"ctm_{submission_id}", skipped=_why_no_ctm(settings)),
        *_mails(submission_id, settings),
    ]


def _why_not_classified(form_type: FormType) -> str | None:
    return "health data is not classified" if form_type == "intake" else None


def _why_no_ctm(settings: FormSettings) -> str | None:
    if not settings.ctm_enabled:
        return "ctm off"
    return None if settings.ctm_conversion_action_id else "no ctm form reactor"


def _mails(submission_id: UUID, settings: FormSettings) -> list[Step]:
    prefix = f"email_{submission_id}"
    recipients: dict[str, str] = {}
    for address in settings.email_recipients:
        recipients.setdefault(address.lower(), address)
    if not settings.email_on_submission:
        return [Step("email_notification", prefix, skipped="notifications off")]
    if not recipients:
        return [Step("email_notification", prefix, skipped="no recipients")]
    return [
        Step(
            "email_notification",
            f"{prefix}_{hashlib.sha256(lowered.encode()).hexdigest()[:12]}",
            recipient=address,
            skipped=None if is_email(address) else "not an e-mail address",
        )
        for lowered, address in recipients.items()
    ]


def backoff(attempts: int) -> timedelta:
    """How long to wait when a step fails that had failed *attempts* times before: 5, 10, 20, 40, 80 s."""
    return timedelta(seconds=5 * 2**attempts)


def draft_expiry(settings: FormSettings, now: datetime) -> datetime:
    return now + timedelta(hours=settings.resume_token_ttl_hours)


# --- what others may learn of the answers -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Contact:
    name: str | None = None
    phone: str | None = None
    email: str | None = None


_NAMES = ("name", "full_name", "fullname", "your_name", "contact_name", "patient_name", "caller_name")
_FIRST, _LAST = (
    ("first_name", "firstname", "fname", "given_name"),
    ("last_name", "lastname", "lname", "surname", "family_name"),
)
_PHONES = ("phone", "phone_number", "tel", "telephone", "mobile", "mobile_phone", "cell", "cell_phone", "your_phone")
_EMAILS = ("email", "email_address", "e_mail", "mail", "your_email")
_CONTACT_KEYS = frozenset((*_NAMES, *_FIRST, *_LAST, *_PHONES, *_EMAILS))


def contact_of(schema: FormSchema, payload: Mapping[str, object]) -> Contact:
    """Who sent the answers, by the fields' types first, then by their usual names; only what can be one is taken."""
    plain = {_snake(key): value.strip() for key, value in payload.items() if isinstance(value, str) and value.strip()}
    typed: dict[str, list[str]] = {"phone": [], "email": []}
    for one in schema.fields:
        if one.type in typed:
            typed[one.type].append(plain.get(_snake(one.name), ""))
    parts = [_first(plain.get(name, "") for name in names) for names in (_FIRST, _LAST)]
    whole = _first(plain.get(name, "") for name in _NAMES) or " ".join(filter(None, parts))
    phones = (*typed["phone"], *(plain.get(name, "") for name in _PHONES))
    emails = (*typed["email"], *(plain.get(name, "") for name in _EMAILS))
    return Contact(whole[:200] or None, _first(filter(is_phone, phones)), _first(filter(is_email, emails)))


def _first(values: Iterable[str]) -> str | None:
    return next(filter(None, values), None)


def _snake(text: str) -> str:
    """``lastName``, ``Last name`` and ``last-name[]`` → ``last_name``."""
    words = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", text)
    return re.sub(r"\W+|_+", "_", words).strip("_").lower()


# The seeded types of protected health information, and the ways authors write them.
PHI_TYPES: Final = (
    "ssn",
    "dob",
    "medical_record_number",
    "diagnosis",
    "medication",
    "treatment",
    "insurance_id",
    "health_history",
    "emergency_contact",
    "physician",
)
_PHI_WORDS = tuple(
    tuple(phrase.split("_"))
    for phrase in (
        *PHI_TYPES,
        *("social_security", "date_of_birth", "birth_date", "birthdate", "birthday", "mrn", "diagnoses", "medications"),
        *("treatments", "insurance_number", "insurance_member", "member_id", "medical_history", "medical_condition"),
        *("medical_conditions", "symptoms", "allergies", "physicians", "doctor"),
    )
)


def is_health_data(one: FormField | str) -> bool:
    """Whether a field asks for protected health information, by its type, name or label; rather once too often."""
    texts = (one,) if isinstance(one, str) else (one.type, one.name, one.label)
    return any(_has_phrase(_snake(text).split("_"), phrase) for text in texts for phrase in _PHI_WORDS)


def _has_phrase(words: list[str], phrase: tuple[str, ...]) -> bool:
    return any(tuple(words[at : at + len(phrase)]) == phrase for at in range(len(words) - len(phrase) + 1))


def shareable_answers(schema: FormSchema, payload: Mapping[str, object]) -> dict[str, str]:
    """Key → answer of what may leave for a vendor or the AI: neither health data nor who the sender is."""
    fields = {one.name: one for one in schema.fields}
    shared: dict[str, str] = {}
    for key, value in payload.items():
        asked = fields.get(key)
        personal = _snake(key) in _CONTACT_KEYS or (asked is not None and asked.type in ("phone", "email", "file"))
        text = answer_text(value)
        if text and not personal and not is_health_data(asked or key) and not is_health_data(key):
            shared[key] = text
    return shared


def answer_text(value: object) -> str:
    """An answer as a person reads it: lists with commas, boxes as Yes and No, empty for none."""
    match value:
        case None | "" | [] | {}:
            return ""
        case bool():
            return "Yes" if value else "No"
        case list():
            return ", ".join(filter(None, map(answer_text, value)))
        case dict():
            return ", ".join(f"{key}: {text}" for key, one in value.items() if (text := answer_text(one)))
        case float() if value.is_integer():
            return str(int(value))
        case _:
            return str(value)


def labelled_answers(schema: FormSchema, payload: Mapping[str, object]) -> list[tuple[str, str]]:
    """(label, answer) lines for people who may see them all; a key without a field is spelled out."""
    labels = {one.name: one.label for one in schema.fields}
    return [
        (labels.get(key) or _snake(key).replace("_", " ").capitalize(), text)
        for key, value in payload.items()
        if (text := answer_text(value))
    ]


@dataclass(frozen=True, slots=True)
class Received:
    """A stored submission, as much of it as the steps need. ``payload`` is empty for intake: nobody asks for it."""

    submission_id: UUID
    form_id: UUID
    form_name: str
    form_type: FormType
    received_at: datetime
    schema: FormSchema
    payload: Mapping[str, Any]
    attribution: Attribution

    def answers_for_mail(self) -> list[tuple[str, str]] | None:
        """(label, answer) lines; None for an intake, whose answers no mail may hold."""
        return None if self.form_type == "intake" else labelled_answers(self.schema, self.payload)


def ctm_body(sent: Received, settings: FormSettings) -> dict[str, object]:
    """The form-reactor post for a submission (https://www.calltrackingmetrics.com/docs, "FormReactor").

    ``custom_submission_id`` is always there: it finds the record again when CTM's answer was lost. A conversion says
    who wrote and what, without health data. An intake says that one was completed, and where the visitor came from.
    """
    intake = sent.form_type == "intake"
    told = {
        "form_name": sent.form_name,
        "form_id": str(sent.form_id),
        "submission_id": str(sent.submission_id),
        "timestamp": sent.received_at.isoformat(),
        "conversion_type": "intake_completed" if intake else "contact_form",
        "page_url": without_query(sent.attribution.landing_page),
        "landing_page": without_query(sent.attribution.landing_page),
        "referrer": without_query(sent.attribution.referrer),
        **sent.attribution.utms.model_dump(),
    }
    contact = Contact() if intake else contact_of(sent.schema, sent.payload)
    answers = {} if intake else shareable_answers(sent.schema, sent.payload)
    body: dict[str, object] = {f"custom_{_snake(key) or 'answer'}": text for key, text in answers.items()}
    body |= {f"custom_{key}": value for key, value in told.items()}
    if intake:
        body["custom_five_star_lead"] = settings.ctm_five_star_enabled
    body |= {
        "caller_name": contact.name,
        "phone_number": contact.phone,
        "email": contact.email,
        "country_code": "1" if contact.phone and not contact.phone.startswith("+") else None,
        "visitor_sid": sent.attribution.ctm_session_id,
    }
    return {key: value for key, value in body.items() if value is not None}


def why_not_to_ctm(body: Mapping[str, object]) -> str | None:
    """Why CTM would refuse this post: it makes no record without a phone number. So an intake, whose answers stay here,
    is told only by a form reactor that asks for none; see the integration's README."""
    return None if body.get("phone_number") else "no phone number"


def without_query(url: str | None) -> str | None:
    """The page without what was searched or typed there."""
    return re.split(r"[?#]", url, maxsplit=1)[0] or None if url else None


def text_to_classify(sent: Received) -> str:
    """The answers for the classifier, as ``label: answer`` lines. Raises ValueError for an intake: never leaves us."""
    if sent.form_type == "intake":
        raise ValueError("an intake is never classified")
    labels = {one.name: one.label for one in sent.schema.fields}
    answers = shareable_answers(sent.schema, sent.payload)
    return "\n".join(f"{labels.get(key) or key}: {text}" for key, text in answers.items())
