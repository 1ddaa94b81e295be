"""What is done for a submission after it was accepted: classify it, record it in CTM, mail it to whoever wants to know.

The steps are independent and run side by side; each records its own outcome, so a retry repeats none that succeeded.
A step that may work later is tried five times, 5, 10, 20, 40 and 80 s apart; one that cannot work says why. When an
earlier attempt's answer was lost, the vendor is asked first whether it had an effect. Source: seeds DATA_FLOWS §6,
spec api-forms §4.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID

from shared.areas.emails import service as emails
from shared.areas.emails import templates
from shared.areas.emails.models import Mail
from shared.areas.forms import extraction, rules, store
from shared.areas.forms.models import Attribution, FormSchema, FormSettings
from shared.areas.leads import classification
from shared.areas.ports import Ai
from shared.db.database import Database, Record
from shared.errors import Park, Reconnect, Rejected, TryLater, VendorError

if TYPE_CHECKING:
    from shared.areas.emails.service import Sending

FIVE_STARS = 5


class Ctm(Protocol):
    """One CTM account (``integrations.ctm.client``)."""

    async def form_reactor(self, reactor_id: str, body: dict[str, object]) -> Any: ...

    async def find_form_record(self, submission_id: UUID, since: date) -> str | None: ...

    async def rate(self, call_id: str, *, score: int, conversion: int, value: int, on: Any) -> None: ...


@dataclass(frozen=True, slots=True)
class Outside:
    """What the steps reach beyond the database."""

    ai: Ai
    classifier_model: str
    ctm: Callable[[str, str, str], Ctm]  # account, key, secret
    sending: Sending
    app_base_url: str


@dataclass(frozen=True, slots=True)
class Work:
    """A submission with what its steps need to know of its form and client."""

    sent: rules.Received
    settings: FormSettings
    client_id: UUID | None
    business: str | None  # what the client tells the AI about itself
    ctm_account: tuple[str, str, str] | None  # number, key, secret: the latter two as they are stored


@dataclass(frozen=True, slots=True)
class Done:
    """How a step ended well: ``sent`` or ``done``, or ``skipped`` with the reason."""

    outcome: str
    reason: str | None = None


class Hopeless(Exception):
    """A step that cannot work, with the reason."""


async def process(db: Database, outside: Outside, submission_id: UUID) -> None:
    """Do every step that is not done yet.

    Raises TryLater while one of them may work later, and Park when what is left cannot.
    """
    row = await store.submission_for_work(db, submission_id)
    if row is None:
        raise Park("the submission no longer exists")
    work = _work(row)
    steps = await store.begin_steps(db, submission_id)
    troubles = await asyncio.gather(*(_attempt(db, outside, work, step) for step in steps))
    later = [trouble for trouble in troubles if isinstance(trouble, TryLater)]
    if later:
        raise later[0]
    hopeless = [str(trouble) for trouble in troubles if trouble is not None]
    if hopeless:
        raise Park("; ".join(hopeless))


def _work(row: Record) -> Work:
    account = (row["ctm_account_number"], row["ctm_api_key"], row["ctm_api_secret"])
    return Work(
        sent=rules.Received(
            submission_id=row["id"],
            form_id=row["form_id"],
            form_name=row["form_name"],
            form_type=row["form_type"],
            received_at=row["created_at"],
            schema=FormSchema.read(row["schema_json"]),
            payload=row["non_phi_payload"] or {},
            attribution=Attribution.read(row["attribution_json"]),
        ),
        settings=FormSettings.read(row["settings_json"]),
        client_id=row["client_id"],
        business=row["ai_prompt"],
        ctm_account=account if all(account) else None,
    )


async def _attempt(db: Database, outside: Outside, work: Work, step: Record) -> TryLater | Hopeless | None:
    """Try one step and record how it went; what is wrong with it, or None when it is done."""
    try:
        done = await _STEPS[step["kind"]](db, outside, work, step)
    except TryLater as error:
        return await _failed(db, step, error)
    except (Reconnect, Rejected, Hopeless) as error:
        await store.step_failed(db, step["id"], str(error), next_at=None, outcome_known=True)
        return Hopeless(f"{step['kind']}: {error}")
    await store.step_done(db, step["id"], done.outcome, done.reason)
    return None


async def _failed(db: Database, step: Record, error: TryLater) -> TryLater | Hopeless:
    last = step["attempts"] >= rules.MAX_ATTEMPTS
    next_at = None if last else datetime.now(UTC) + rules.backoff(step["attempts"] - 1)
    await store.step_failed(db, step["id"], str(error), next_at=next_at, outcome_known=_said_no(error))
    return Hopeless(f"{step['kind']}: gave up after {step['attempts']} attempts: {error}") if last else error


def _said_no(error: VendorError) -> bool:
    """Whether the vendor answered: without an answer, it may have done what we asked."""
    return error.status is not None


async def _classify(db: Database, outside: Outside, work: Work, step: Record) -> Done:
    text = rules.text_to_classify(work.sent)
    if not text:
        return Done("skipped", "there is nothing to classify")
    prompt = extraction.build_prompt(work.business, text)
    answer = await outside.ai.generate(
        prompt.content,
        system=prompt.system,
        temperature=classification.TEMPERATURE,
        max_tokens=extraction.MAX_TOKENS,
        model=outside.classifier_model,
        json_schema=extraction.RESPONSE_SCHEMA,
    )
    told = extraction.parse(answer)
    found = told.classification
    await store.keep_classification(db, work.sent.submission_id, found.category, found.summary, told.details)
    return Done("done")


async def _record_in_ctm(db: Database, outside: Outside, work: Work, step: Record) -> Done:
    if work.ctm_account is None:
        return Done("skipped", "the form's client has no CTM account")
    body = rules.ctm_body(work.sent, work.settings)
    if reason := rules.why_not_to_ctm(body):
        return Done("skipped", f"CTM makes no record: {reason}")
    number, key, secret = await _opened(outside, work)
    ctm = outside.ctm(number, key, secret)
    record_id = await _known_record(ctm, work, step) if step["attempted_before"] else None
    if record_id is None:
        record = await ctm.form_reactor(work.settings.ctm_conversion_action_id or "", body)
        record_id = record.id or await ctm.find_form_record(work.sent.submission_id, work.sent.received_at.date())
    await store.keep_ctm_record(db, work.sent.submission_id, {"id": record_id})
    if not work.settings.ctm_five_star_enabled:
        return Done("sent")
    if record_id is None:
        return Done("sent", "not rated: CTM did not name the record")
    await ctm.rate(  # the same rating twice is one rating
        record_id, score=FIVE_STARS, conversion=1, value=0, on=work.sent.received_at.date()
    )
    return Done("sent")


async def _known_record(ctm: Ctm, work: Work, step: Record) -> str | None:
    """The record that an attempt without an answer made, if it made one."""
    found = await ctm.find_form_record(work.sent.submission_id, work.sent.received_at.date())
    if found is None and step["attempted_ago_s"] < CTM_SETTLES_S:
        raise TryLater("ctm", reason="not known yet whether the record was made")
    return found


CTM_SETTLES_S = 3.0  # how long a request that we gave up on may still be worked on there


async def _opened(outside: Outside, work: Work) -> tuple[str, str, str]:
    assert work.ctm_account is not None, "only asked for with an account"
    number, key, secret = work.ctm_account
    from shared.crypto import column_context

    ring = await outside.sending.key_ring()
    opened = [
        ring.open_text(sealed, context=column_context("client_profiles", column, work.client_id))
        for column, sealed in (("ctm_api_key", key), ("ctm_api_secret", secret))
    ]
    return number, opened[0], opened[1]


async def _mail(db: Database, outside: Outside, work: Work, step: Record) -> Done:
    made = templates.form_submission(work.sent, app_base_url=outside.app_base_url)
    mail = Mail(
        type="form_submission",
        to=step["recipient"],
        subject=made.subject,
        text=made.text,
        html=made.html,
        client_id=work.client_id,
        message_key=step["key"],
        metadata={
            "form_id": str(work.sent.form_id),
            "form_name": work.sent.form_name,
            "submission_id": str(work.sent.submission_id),
        },
    )
    log_id = await emails.log(db, mail, outside.sending.key_ring)
    refused = await emails.deliver(db, outside.sending, log_id)
    if refused is not None:
        raise Hopeless(refused)
    return Done("sent")


_STEPS = {"classification": _classify, "ctm_conversion": _record_in_ctm, "email_notification": _mail}
