"""Every function as data: what triggers it, who may call it, what it may use.

The one list from which routing, OpenAPI, Terraform, the local cloud and the table tests are derived. It imports no
function. One rule gives every name its place: ``leads_add_note`` is the coroutine of that name in
``functions/leads/add_note.py``. An alias path is a further route of the same function.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

Trigger = Literal["http", "task", "event", "schedule"]


class Access(StrEnum):
    """Who may call a function; enforced in ``shared.runtime.identity``."""

    PUBLIC = "public"  # anyone
    LINK = "link"  # whoever holds the token in the path; the area checks it
    AUTH = "auth"  # any signed-in user
    PORTAL = "portal"  # any signed-in user; admins may name a client in x-acting-user
    STAFF = "staff"  # superadmin, admin, team
    ADMIN = "admin"  # superadmin, admin
    SUPER = "super"  # superadmin
    INTERNAL = "internal"  # Cloud Tasks, Pub/Sub and Scheduler, with our invoker's identity


PUBLIC, LINK, AUTH, PORTAL, STAFF, ADMIN, SUPER, INTERNAL = Access


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """A Cloud Tasks queue: rates, and how a task that answered other than 2xx is tried again."""

    name: str
    per_second: float = 50
    at_once: int = 50
    attempts: int = 12
    min_backoff_s: int = 5
    max_backoff_s: int = 80
    doublings: int = 4


QUEUES = {
    queue.name: queue
    for queue in (
        # 5, 10, 20, 40, 80 s: the attempts beyond the five that a step has cover waits for a killed run's lease
        Queue(name="forms"),
        Queue(name="emails", attempts=10, max_backoff_s=300, doublings=6),
        Queue(name="ctm", per_second=10, at_once=10, attempts=30, max_backoff_s=640, doublings=7),  # four hours
    )
}

# Topic → what its messages say happened. A topic may have no listener yet; a listener's topic must be here.
TOPICS = {
    "call-ingested": "a call has words that nobody classified yet",
    "ctm-sync-due": "a client's calls should be read from CTM again",
    "mail-event": "Mailgun told us what became of a mail",
    "dead-letters": "a message that its listener refused too often",
}
EVENT_ATTEMPTS = 8  # deliveries of one message before it goes to dead-letters (Pub/Sub allows 5 to 100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """What the functions of one area may reach beyond the database; its service account gets just this."""

    name: str
    secrets: tuple[str, ...] = ()  # of config.SECRETS
    enqueues: tuple[str, ...] = ()  # task functions it sends work to
    publishes: tuple[str, ...] = ()  # topics
    google: tuple[Literal["vertex", "storage", "firestore"], ...] = ()


# Every function reads the access tokens' key; every outbox can be swept by jobs.
COMMON_SECRETS = ("JWT_SECRET", "ENCRYPTION_KEYS", "HASH_KEY")
AREAS = {
    area.name: area
    for area in (
        Area(name="forms", secrets=("MAILGUN_API_KEY",), enqueues=("forms_process",), google=("vertex",)),
        Area(
            name="emails",
            secrets=("MAILGUN_API_KEY", "MAILGUN_WEBHOOK_SIGNING_KEY"),
            enqueues=("emails_send",),
            publishes=("mail-event",),
        ),
        Area(
            name="leads",
            enqueues=("leads_push_rating",),
            publishes=("call-ingested", "ctm-sync-due"),
            google=("vertex", "firestore"),
        ),
        Area(
            name="jobs",
            enqueues=("forms_process", "emails_send", "leads_push_rating"),
            publishes=("mail-event", "call-ingested", "ctm-sync-due"),
        ),
    )
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """One Cloud Function. Times in seconds, memory in MiB."""

    name: str
    trigger: Trigger
    access: Access
    routes: tuple[str, ...] = ()  # "POST /api/hub/leads/{call_id}/notes"
    queue: str | None = None
    topic: str | None = None
    cron: str | None = None  # in UTC
    timeout_s: int = 30
    memory_mb: int = 256
    concurrency: int = 40
    max_instances: int = 10
    max_body_kb: int = 100
    embeddable: bool = False  # served to pages of other sites: its own CORS, CSP and framing rules

    @property
    def area(self) -> str:
        return self.name.partition("_")[0]

    @property
    def module(self) -> str:
        return f"functions.{self.area}.{self.name.partition('_')[2]}"

    @property
    def lease_s(self) -> int:
        """How long one run owns its work: longer than the run can last."""
        return self.timeout_s + 5


def http(name: str, *routes: str, access: Access, **limits: int | bool) -> Function:
    return Function(name=name, trigger="http", routes=routes, access=access, **limits)  # type: ignore[arg-type]


def task(name: str, *, queue: str, **limits: int) -> Function:
    return Function(name=name, trigger="task", access=INTERNAL, queue=queue, **limits)  # type: ignore[arg-type]


def event(name: str, *, topic: str, **limits: int) -> Function:
    return Function(name=name, trigger="event", access=INTERNAL, topic=topic, **limits)  # type: ignore[arg-type]


def schedule(name: str, *, cron: str, **limits: int) -> Function:
    return Function(name=name, trigger="schedule", access=INTERNAL, cron=cron, max_instances=1, **limits)  # type: ignore[arg-type]


JOBS = (
    http("jobs_check_health", "GET /api/health", access=PUBLIC),
    http("jobs_check_readiness", "GET /api/health/ready", access=PUBLIC),
    http("jobs_list_dead", "GET /api/jobs/dead", access=SUPER),
    http("jobs_resend_dead", "POST /api/jobs/dead/{work_id}/resend", access=SUPER),
    event("jobs_record_dead", topic="dead-letters"),
    schedule("jobs_sweep_outbox", cron="* * * * *"),
    schedule("jobs_purge_finished", cron="30 7 * * *"),
    schedule("jobs_reseal_old_keys", cron="0 8 * * *", timeout_s=600),
)

# Forms as visitors of other sites meet them.
FORMS = (
    http("forms_serve_embed_script", "GET /embed/script/embed.js", access=PUBLIC, embeddable=True),
    http("forms_serve_fields_runtime", "GET /embed/script/runtime.js", access=PUBLIC, embeddable=True),
    http("forms_serve_page", "GET /embed/form/{form_id}", access=PUBLIC, embeddable=True),
    http("forms_serve_form_runtime", "GET /embed/form/{form_id}/runtime.js", access=PUBLIC, embeddable=True),
    http("forms_describe", "GET /embed/{form_id}", "GET /embed/{form_id}/json", access=PUBLIC, embeddable=True),
    http("forms_submit", "POST /embed/{form_id}/submit", access=PUBLIC, embeddable=True, max_instances=20),
    http("forms_save_draft", "POST /embed/{form_id}/draft/save", access=PUBLIC, embeddable=True),
    http("forms_resume_draft", "POST /embed/{form_id}/draft/resume", access=PUBLIC, embeddable=True),
    task("forms_process", queue="forms", max_instances=20),
)

EMAILS = (
    http("emails_receive_mailgun", "POST /api/webhooks/mailgun", access=PUBLIC, max_body_kb=512),
    http("emails_probe_mailgun", "GET /api/webhooks/mailgun/test", access=STAFF),
    task("emails_send", queue="emails"),
    event("emails_track", topic="mail-event"),
)

_CALLS = "/api/hub/calls"
_CALL = "/api/hub/calls/{call_id}"

# Calls of a client's prospects: read from CTM, classified, rated, organised. A {call_id} is CTM's.
LEADS = (
    http("leads_list_calls", f"GET {_CALLS}", access=PORTAL, timeout_s=60),
    http("leads_clear_and_reload", f"DELETE {_CALLS}", access=PORTAL, timeout_s=240, memory_mb=1024, concurrency=4),
    http("leads_sync_calls", f"POST {_CALLS}/sync", access=PORTAL, timeout_s=120, memory_mb=512, concurrency=8),
    http("leads_show_sync", f"GET {_CALLS}/sync", access=PORTAL),
    http("leads_sync_fully", f"POST {_CALLS}/full-sync", access=PORTAL, timeout_s=120, memory_mb=512, concurrency=8),
    http("leads_reset_cache", f"POST {_CALLS}/reset-cache", access=PORTAL),
    http("leads_show_stats", f"GET {_CALLS}/stats", access=PORTAL),
    http("leads_export_calls", f"GET {_CALLS}/export", access=PORTAL, timeout_s=120),
    http("leads_rate_call", f"POST {_CALL}/score", access=PORTAL),
    http("leads_clear_rating", f"DELETE {_CALL}/score", access=PORTAL),
    http("leads_set_category", f"PUT {_CALL}/category", access=PORTAL),
    http("leads_link_client", f"POST {_CALL}/link-client", access=PORTAL),
    http("leads_unlink_client", f"DELETE {_CALL}/link-client", access=PORTAL),
    http("leads_show_history", f"GET {_CALL}/history", access=PORTAL),
    http("leads_show_call", f"GET {_CALL}/detail", access=PORTAL),
    http("leads_move_call", f"PUT {_CALL}/stage", access=PORTAL),
    http("leads_list_call_tags", f"GET {_CALL}/tags", access=PORTAL),
    http("leads_tag_call", f"POST {_CALL}/tags", access=PORTAL),
    http("leads_untag_call", f"DELETE {_CALL}/tags/{{tag_id}}", access=PORTAL),
    http("leads_list_stages", "GET /api/hub/pipeline-stages", access=PORTAL),
    http("leads_create_stage", "POST /api/hub/pipeline-stages", access=PORTAL),
    http("leads_update_stage", "PUT /api/hub/pipeline-stages/{stage_id}", access=PORTAL),
    http("leads_delete_stage", "DELETE /api/hub/pipeline-stages/{stage_id}", access=PORTAL),
    http("leads_list_notes", "GET /api/hub/leads/{call_id}/notes", access=PORTAL),
    http("leads_add_note", "POST /api/hub/leads/{call_id}/notes", access=PORTAL),
    http("leads_delete_note", "DELETE /api/hub/leads/{call_id}/notes/{note_id}", access=PORTAL),
    http("leads_list_tags", "GET /api/hub/lead-tags", "GET /api/hub/tags", access=PORTAL),
    http("leads_create_tag", "POST /api/hub/lead-tags", "POST /api/hub/tags", access=PORTAL),
    http("leads_delete_tag", "DELETE /api/hub/lead-tags/{tag_id}", "DELETE /api/hub/tags/{tag_id}", access=PORTAL),
    http("leads_list_views", "GET /api/hub/lead-views", access=PORTAL),
    http("leads_save_view", "POST /api/hub/lead-views", access=PORTAL),
    http("leads_delete_view", "DELETE /api/hub/lead-views/{view_id}", access=PORTAL),
    http("leads_reclassify", "POST /api/hub/clients/{client_id}/reclassify-leads", access=ADMIN, timeout_s=60),
    http("leads_show_reclassification", "GET /api/hub/clients/{client_id}/reclassify-leads", access=ADMIN),
    schedule("leads_poll_ctm", cron="*/5 * * * *"),
    event("leads_sync", topic="ctm-sync-due", timeout_s=240, memory_mb=512, concurrency=8),
    event("leads_classify", topic="call-ingested", concurrency=8, max_instances=20),
    task("leads_push_rating", queue="ctm", timeout_s=45),
)

FUNCTIONS: tuple[Function, ...] = (*JOBS, *FORMS, *EMAILS, *LEADS)

BY_NAME: dict[str, Function] = {function.name: function for function in FUNCTIONS}


def by_trigger(trigger: Trigger) -> Iterator[Function]:
    return (function for function in FUNCTIONS if function.trigger == trigger)


def listeners(topic: str) -> Iterator[Function]:
    return (function for function in FUNCTIONS if function.topic == topic)
