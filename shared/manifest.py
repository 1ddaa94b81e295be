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
    PORTAL_ADMIN = "portal-admin"  # superadmin, admin; for themselves or the client they name
    PORTAL_SUPER = "portal-super"  # superadmin; the same
    STAFF = "staff"  # superadmin, admin, team
    ADMIN = "admin"  # superadmin, admin
    SUPER = "super"  # superadmin
    INTERNAL = "internal"  # Cloud Tasks, Pub/Sub and Scheduler, with our invoker's identity


PUBLIC, LINK, AUTH, PORTAL, PORTAL_ADMIN, PORTAL_SUPER, STAFF, ADMIN, SUPER, INTERNAL = Access


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
        Queue(name="files", attempts=10, max_backoff_s=300, doublings=6),
        Queue(name="onboarding", attempts=10, max_backoff_s=300, doublings=6),
        Queue(name="ai", per_second=5, at_once=8, min_backoff_s=20, max_backoff_s=640, doublings=5),  # two hours
        Queue(name="reviews", per_second=10, at_once=10, attempts=10, max_backoff_s=300, doublings=6),
        # Google allows ten edits a minute for a profile, and replies must outlast an outage
        Queue(name="google", per_second=5, at_once=5, attempts=30, max_backoff_s=640, doublings=7),  # four hours
        Queue(name="vendors", per_second=5, at_once=10, attempts=30, max_backoff_s=640, doublings=7),  # four hours
        # outages of CTM cost no attempts here (leads ratings.py): these four hours are for our own troubles
        Queue(name="ctm", per_second=10, at_once=10, attempts=30, max_backoff_s=640, doublings=7),
        Queue(name="ctm-auto-stars", per_second=10, at_once=10, attempts=30, max_backoff_s=640, doublings=7),
        # Monday's pauses are waited for, so that many tries cover an outage of hours
        Queue(name="monday", per_second=5, at_once=4, attempts=40, max_backoff_s=640, doublings=7),
    )
}

# Topic → what its messages say happened.
TOPICS = {
    "call-ingested": "a call has words that nobody classified yet",
    "ctm-sync-due": "a client's calls should be read from CTM again",
    "connection-broken": "a client's account at a vendor can be used again only after somebody connects it anew",
    "monday-sync-due": "a client's items should be read from Monday again",
    "reviews-sync-due": "a location's reviews should be read from Google again",
    "mail-event": "Mailgun told us what became of a mail",
    "task-item-changed": "somebody or something has changed a task item",
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
        Area(
            name="forms",
            secrets=("MAILGUN_API_KEY",),
            enqueues=("forms_process", "files_delete"),
            google=("vertex", "storage"),
        ),
        Area(
            name="emails",
            secrets=("MAILGUN_API_KEY", "MAILGUN_WEBHOOK_SIGNING_KEY"),
            enqueues=("emails_send",),
            publishes=("mail-event",),
        ),
        Area(
            name="leads",
            enqueues=("leads_push_rating", "leads_push_auto_star"),
            publishes=("call-ingested", "ctm-sync-due"),
            google=("vertex", "firestore"),
        ),
        Area(
            name="reviews",
            secrets=("GOOGLE_OAUTH_CLIENT_SECRET",),
            enqueues=(
                *("emails_send", "reviews_evaluate", "reviews_run_rule", "reviews_catch_up", "reviews_send_reply"),
            ),
            publishes=("reviews-sync-due", "connection-broken"),
            google=("vertex", "firestore"),
        ),
        Area(
            name="accounts",
            secrets=("GOOGLE_OAUTH_CLIENT_SECRET", "MICROSOFT_OAUTH_CLIENT_SECRET"),
            enqueues=("emails_send", "accounts_mail_link"),
            google=("firestore",),
        ),
        Area(name="journeys"),
        Area(name="files", enqueues=("files_delete",), google=("storage",)),
        Area(name="notifications"),
        Area(name="documents", enqueues=("emails_send", "files_delete"), google=("storage",)),
        Area(name="clients", enqueues=("emails_send", "files_delete", "connections_withdraw")),
        Area(name="profiles", enqueues=("emails_send", "files_delete"), google=("storage",)),
        Area(name="brand", enqueues=("files_delete",), google=("storage",)),
        Area(
            name="tasks",
            enqueues=("emails_send", "files_delete", "tasks_summarise_item", "tasks_write_overview"),
            publishes=("task-item-changed",),
            google=("storage", "vertex"),
        ),
        Area(
            name="connections",
            secrets=(
                *("GOOGLE_OAUTH_CLIENT_SECRET", "FACEBOOK_APP_SECRET"),
                *("TIKTOK_CLIENT_SECRET", "WORDPRESS_CLIENT_SECRET"),
            ),
            enqueues=("emails_send", "connections_withdraw", "connections_publish_post"),
            publishes=("connection-broken",),
            google=("firestore", "storage"),
        ),
        Area(name="onboarding", enqueues=("emails_send", "files_delete", "onboarding_finish"), google=("storage",)),
        Area(
            name="monday",
            secrets=("MONDAY_API_KEY",),
            enqueues=("monday_finish_request", "monday_sync_item", "emails_send", "files_delete"),
            publishes=("monday-sync-due", "task-item-changed"),
            google=("storage", "firestore"),
        ),
        Area(
            name="blog",
            enqueues=("emails_send", "files_delete", "connections_publish_post"),
            google=("vertex", "storage"),
        ),
    )
}
AREAS["jobs"] = Area(  # sweeps every area's outbox
    name="jobs",
    enqueues=tuple(sorted({function for area in AREAS.values() for function in area.enqueues})),
    publishes=tuple(sorted({topic for area in AREAS.values() for topic in area.publishes})),
)


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
    says_error: bool = False  # its refusals say "error" beside "message", as the forms builder reads them
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

# Forms as visitors of other sites meet them. A file is in memory twice, as it came and encrypted.
_VISITORS_FILE = {"max_body_kb": 11 * 1024, "memory_mb": 512, "concurrency": 8, "timeout_s": 120}
FORMS = (
    http("forms_serve_embed_script", "GET /embed/script/embed.js", access=PUBLIC, embeddable=True),
    http("forms_serve_fields_runtime", "GET /embed/script/runtime.js", access=PUBLIC, embeddable=True),
    http("forms_serve_page", "GET /embed/form/{form_id}", access=PUBLIC, embeddable=True),
    http("forms_serve_form_runtime", "GET /embed/form/{form_id}/runtime.js", access=PUBLIC, embeddable=True),
    http("forms_describe", "GET /embed/{form_id}", "GET /embed/{form_id}/json", access=PUBLIC, embeddable=True),
    http("forms_submit", "POST /embed/{form_id}/submit", access=PUBLIC, embeddable=True, max_instances=20),
    http("forms_upload_file", "POST /embed/{form_id}/files", access=PUBLIC, embeddable=True, **_VISITORS_FILE),
    http("forms_save_draft", "POST /embed/{form_id}/draft/save", access=PUBLIC, embeddable=True),
    http("forms_resume_draft", "POST /embed/{form_id}/draft/resume", access=PUBLIC, embeddable=True),
    http("forms_count_start", "POST /embed/{form_id}/start", access=PUBLIC, embeddable=True),
    task("forms_process", queue="forms", max_instances=20),
)

# The builder that staff make forms with. Code comes in whole; reading a document takes the model its time.
_CODE = {"max_body_kb": 4 * 1024, "concurrency": 8, "says_error": True}
_DOCUMENT = {"max_body_kb": 31 * 1024, "memory_mb": 1024, "concurrency": 2, "timeout_s": 120, "says_error": True}
_SAYS = {"says_error": True}
_FILE = {"memory_mb": 512, "concurrency": 8, "says_error": True}
FORMS_ADMIN = (
    http("forms_list", "GET /api/forms", access=STAFF, **_SAYS),
    http("forms_create", "POST /api/forms", access=STAFF, **_CODE),
    http("forms_show", "GET /api/forms/{id}", access=STAFF, **_SAYS),
    http("forms_update", "PUT /api/forms/{id}", "PATCH /api/forms/{id}", access=STAFF, **_SAYS),
    http("forms_delete", "DELETE /api/forms/{id}", access=STAFF, **_SAYS),
    http("forms_duplicate", "POST /api/forms/{id}/duplicate", access=STAFF, **_SAYS),
    http("forms_renew_embed_token", "POST /api/forms/{id}/embed-token", access=STAFF, **_SAYS),
    http("forms_show_stats", "GET /api/forms/{id}/stats", access=STAFF, **_SAYS),
    http("forms_list_audit", "GET /api/forms/{id}/audit-logs", access=STAFF, **_SAYS),
    http("forms_list_versions", "GET /api/forms/{id}/versions", access=STAFF, **_SAYS),
    http("forms_show_version", "GET /api/forms/{id}/versions/{versionId}", access=STAFF, **_SAYS),
    http("forms_save_version", "POST /api/forms/{id}/versions", access=STAFF, **_CODE),
    http("forms_publish", "POST /api/forms/{id}/versions/{versionId}/publish", access=STAFF, **_SAYS),
    http("forms_preview", "GET /api/forms/{id}/preview", access=STAFF, **_SAYS),
    http("forms_compile_preview", "POST /api/forms/preview/compile", access=STAFF, **_CODE),
    http("forms_print_blank", "GET /api/forms/{id}/pdf", access=STAFF, **_SAYS),
    http("forms_list_submissions", "GET /api/forms/{id}/submissions", access=STAFF, **_SAYS),
    http("forms_export_submissions", "GET /api/forms/{id}/submissions/export", access=STAFF, timeout_s=300, **_SAYS),
    http("forms_show_submission", "GET /api/forms/{id}/submissions/{submissionId}", access=STAFF, **_SAYS),
    http("forms_delete_submission", "DELETE /api/forms/{id}/submissions/{submissionId}", access=ADMIN, **_SAYS),
    http("forms_print_submission", "GET /api/forms/{id}/submissions/{submissionId}/print", access=STAFF, **_SAYS),
    http("forms_make_pdf", "POST /api/forms/{id}/submissions/{submissionId}/pdf", access=STAFF, concurrency=4, **_SAYS),
    http(
        "forms_download_pdf", "GET /api/forms/{id}/submissions/{submissionId}/pdf/{artifactId}", access=STAFF, **_SAYS
    ),
    http("forms_download_file", "GET /api/forms/{id}/submissions/{submissionId}/files/{fileId}", access=STAFF, **_FILE),
    http("forms_list_pdfs", "GET /api/forms/{id}/submissions/{submissionId}/pdfs", access=STAFF, **_SAYS),
    http("forms_read_pdf", "POST /api/forms/{id}/ai/upload-pdf", access=STAFF, **_DOCUMENT),
    http("forms_read_pdf_vision", "POST /api/forms/{id}/ai/vision/upload-pdf", access=STAFF, **_DOCUMENT),
    http("forms_read_pdf_layout", "POST /api/forms/{id}/ai/docai/upload-pdf", access=STAFF, **_DOCUMENT),
    http("forms_generate", "POST /api/forms/{id}/ai-generate", access=STAFF, timeout_s=120, **_CODE),
    http("forms_edit_with_ai", "POST /api/forms/{id}/ai/edit", access=STAFF, timeout_s=120, **_CODE),
    http("forms_derive_schema", "POST /api/forms/{id}/ai/generate-schema", access=STAFF, timeout_s=120, **_CODE),
    schedule("forms_purge", cron="45 7 * * *", timeout_s=600),
)

EMAILS = (
    http("emails_receive_mailgun", "POST /api/webhooks/mailgun", access=PUBLIC, max_body_kb=512),
    http("emails_probe_mailgun", "GET /api/webhooks/mailgun/test", access=STAFF),
    http("emails_send_test", "POST /api/hub/email/test", access=ADMIN),
    http("emails_list_logs", "GET /api/hub/email-logs", access=ADMIN),
    http("emails_count_logs", "GET /api/hub/email-logs/stats", access=ADMIN),
    http("emails_show_log", "GET /api/hub/email-logs/{id}", access=ADMIN),
    http("emails_serve_logo", "GET /email-assets/ANCHOR__CORPS.png", access=PUBLIC, embeddable=True),
    task("emails_send", queue="emails"),
    event("emails_track", topic="mail-event"),
)

# Sign-in: whoever hashes a password holds 64 MiB for each of two at once.
_HASHES = {"memory_mb": 512, "concurrency": 16, "max_body_kb": 16}
ACCOUNTS = (
    http("accounts_sign_in", "POST /api/auth/login", access=PUBLIC, max_instances=20, **_HASHES),
    http(
        "accounts_verify_mfa", "POST /api/auth/verify-mfa", "POST /api/auth/mfa/verify", access=PUBLIC, max_body_kb=16
    ),
    http("accounts_resend_mfa", "POST /api/auth/mfa/resend", access=PUBLIC, max_body_kb=16),
    http("accounts_register", "POST /api/auth/register", access=PUBLIC, **_HASHES),
    http("accounts_refresh", "POST /api/auth/refresh", access=PUBLIC, max_instances=20, max_body_kb=16),
    http("accounts_show_me", "GET /api/auth/me", access=AUTH),
    http("accounts_sign_out", "POST /api/auth/logout", access=PUBLIC),
    http("accounts_sign_out_everywhere", "POST /api/auth/logout-all", access=AUTH),
    http(
        "accounts_request_password_reset",
        "POST /api/auth/password-reset/request",
        "POST /api/auth/forgot-password",
        access=PUBLIC,
        max_body_kb=16,
    ),
    http(
        "accounts_reset_password",
        "POST /api/auth/password-reset",
        "POST /api/auth/reset-password",
        access=PUBLIC,
        **_HASHES,
    ),
    http("accounts_verify_email", "GET /api/auth/verify-email", access=PUBLIC),
    http("accounts_resend_verification", "POST /api/auth/resend-verification", access=PUBLIC, max_body_kb=16),
    http("accounts_start_oauth", "GET /api/auth/oauth/{provider}", access=PUBLIC),
    http("accounts_finish_oauth", "GET /api/auth/oauth/{provider}/callback", access=PUBLIC),
    http(
        "accounts_impersonate",
        "POST /api/auth/impersonate/{userId}",
        "POST /api/auth/impersonate",
        access=ADMIN,
    ),
    http("accounts_stop_impersonating", "POST /api/auth/stop-impersonation", access=AUTH),
    http("accounts_list_sessions", "GET /api/auth/sessions", access=AUTH),
    http("accounts_revoke_session", "DELETE /api/auth/sessions/{id}", access=AUTH),
    http("accounts_list_devices", "GET /api/auth/devices", access=AUTH),
    http("accounts_forget_device", "DELETE /api/auth/devices/{id}", access=AUTH),
    http("accounts_show_mfa_settings", "GET /api/auth/mfa/settings", access=AUTH),
    http("accounts_change_mfa_settings", "PATCH /api/auth/mfa/settings", access=AUTH, **_HASHES),
    http("accounts_offer_totp", "POST /api/auth/mfa/totp", access=AUTH, **_HASHES),
    http("accounts_confirm_totp", "POST /api/auth/mfa/totp/confirm", access=AUTH),
    http("accounts_remove_totp", "POST /api/auth/mfa/totp/remove", access=AUTH, **_HASHES),
    http("accounts_renew_backup_codes", "POST /api/auth/mfa/backup-codes", access=AUTH, **_HASHES),
    http("accounts_show_password_rules", "GET /api/auth/password-requirements", access=PUBLIC),
    task("accounts_mail_link", queue="emails"),
    schedule("accounts_purge_expired", cron="15 7 * * *", timeout_s=300),
)

# Uploads are held in memory while they are checked, so few at a time; API Gateway takes 32 MB at most.
_UPLOAD = {"max_body_kb": 31 * 1024, "memory_mb": 512, "concurrency": 4, "timeout_s": 60}
_AVATAR = {**_UPLOAD, "max_body_kb": 6 * 1024}

FILES = (
    http("files_serve", "GET /uploads/{folder}/{name}", access=AUTH, timeout_s=60),
    task("files_delete", queue="files", timeout_s=60),
    schedule("files_sweep", cron="15 * * * *"),
)

NOTIFICATIONS = (
    http("notifications_list", "GET /api/hub/notifications", access=AUTH),
    http(
        "notifications_mark_read",
        "PUT /api/hub/notifications/{id}/read",
        "POST /api/hub/notifications/{id}/read",
        access=AUTH,
    ),
    http(
        "notifications_mark_all_read",
        "PUT /api/hub/notifications/read-all",
        "POST /api/hub/notifications/read-all",
        access=AUTH,
    ),
)

DOCUMENTS = (
    http("documents_list", "GET /api/hub/documentsMe", "GET /api/hub/docs", access=PORTAL),
    http("documents_upload", "POST /api/hub/documentsMe", "POST /api/hub/docs", access=PORTAL, **_UPLOAD),
    http("documents_delete", "DELETE /api/hub/documentsMe/{id}", "DELETE /api/hub/docs/{id}", access=PORTAL),
    http("documents_mark_viewed", "POST /api/hub/docs/{id}/viewed", access=PORTAL),
    http("documents_list_client", "GET /api/hub/docs/admin/{id}", access=ADMIN),
    http("documents_upload_client", "POST /api/hub/docs/admin/upload", access=ADMIN, **_UPLOAD),
    http("documents_review", "POST /api/hub/docs/admin/review", access=ADMIN),
    http("documents_delete_client", "DELETE /api/hub/docs/admin/{id}", access=ADMIN),
    http("documents_list_shared", "GET /api/hub/shared-docs", access=AUTH),
    http("documents_list_shared_admin", "GET /api/hub/shared-docs/admin", access=ADMIN),
    http("documents_upload_shared", "POST /api/hub/shared-docs/admin", access=ADMIN, **_UPLOAD),
    http("documents_edit_shared", "PUT /api/hub/shared-docs/admin/{id}", access=ADMIN),
    http("documents_delete_shared", "DELETE /api/hub/shared-docs/admin/{id}", access=ADMIN),
    http("documents_reorder_shared", "POST /api/hub/shared-docs/admin/reorder", access=ADMIN),
)

CLIENTS = (
    http("clients_list", "GET /api/hub/clients", access=ADMIN),
    http("clients_create", "POST /api/hub/clients", access=ADMIN),
    http("clients_show", "GET /api/hub/clients/{id}", access=ADMIN),
    http("clients_update", "PUT /api/hub/clients/{id}", access=ADMIN),
    http("clients_delete", "DELETE /api/hub/clients/{id}", access=ADMIN),
    http("clients_activate", "POST /api/hub/clients/{id}/activate", access=ADMIN),
    http("clients_send_invitation", "POST /api/hub/clients/{id}/onboarding-email", access=ADMIN),
    http("clients_show_invitation_link", "GET /api/hub/clients/{id}/onboarding-link", access=ADMIN),
    http("clients_add_presets", "POST /api/hub/clients/{id}/service-presets", access=ADMIN),
    http("clients_list_services", "GET /api/hub/admin/clients/{id}/services", access=ADMIN),
    http("clients_save_services", "PUT /api/hub/admin/clients/{id}/services", access=ADMIN),
    # the client's own list, which the client keeps
    http("clients_list_own_services", "GET /api/hub/services", access=PORTAL),
    http("clients_add_service", "POST /api/hub/services", access=PORTAL),
    http("clients_update_service", "PUT /api/hub/services/{service_id}", access=PORTAL),
    http("clients_retire_service", "DELETE /api/hub/services/{service_id}", access=PORTAL),
)

PROFILES = (
    http("profiles_show", "GET /api/hub/profileMe", "GET /api/hub/profile", access=PORTAL),
    http("profiles_update", "PUT /api/hub/profileMe", "PUT /api/hub/profile", access=PORTAL, **_HASHES),
    http("profiles_upload_avatar", "POST /api/hub/avatarMe", "POST /api/hub/profile/avatar", access=PORTAL, **_AVATAR),
    http("profiles_serve_avatar", "GET /api/hub/users/{id}/avatar", access=PUBLIC),
    http("profiles_show_analytics", "GET /api/hub/analytics", access=PORTAL),
)

BRAND = (
    http("brand_show", "GET /api/hub/brandMe", "GET /api/hub/brand", access=PORTAL),
    http("brand_save", "PUT /api/hub/brandMe", "PUT /api/hub/brand", access=PORTAL, **_UPLOAD),
    http("brand_show_client", "GET /api/hub/brand/admin/{user_id}", access=ADMIN),
    http("brand_save_client", "PUT /api/hub/brand/admin/{user_id}", access=ADMIN),
)

_COMPLETES = {**_HASHES, "max_body_kb": 100}
# ``…_link``: whoever holds the link; the others: the signed-in client, or an admin acting for one.
ONBOARDING = (
    http("onboarding_load_link", "GET /api/onboarding/{token}", access=LINK),
    http("onboarding_load", "GET /api/onboarding/me", access=PORTAL),
    http(
        "onboarding_complete",
        "POST /api/onboarding/me/complete",
        "POST /api/onboarding/me/submit",
        access=PORTAL,
        **_COMPLETES,
    ),
    http("onboarding_complete_link", "POST /api/onboarding/{token}", access=LINK, **_COMPLETES),
    http(
        "onboarding_save_link",
        "POST /api/onboarding/{token}/step",
        "POST /api/onboarding/{token}/draft",
        access=LINK,
    ),
    http("onboarding_save", "POST /api/onboarding/me/step", "POST /api/onboarding/me/draft", access=PORTAL),
    http("onboarding_activate", "POST /api/onboarding/{token}/activate", access=LINK, **_HASHES),
    http(
        "onboarding_upload_avatar_link",
        "POST /api/onboarding/{token}/upload/avatar",
        "POST /api/onboarding/{token}/avatar",
        access=LINK,
        **_AVATAR,
    ),
    http("onboarding_upload_avatar", "POST /api/onboarding/me/avatar", access=PORTAL, **_AVATAR),
    http(
        "onboarding_upload_brand_link",
        "POST /api/onboarding/{token}/upload/brand",
        "POST /api/onboarding/{token}/brand-assets",
        access=LINK,
        **_UPLOAD,
    ),
    http(
        "onboarding_upload_brand",
        "POST /api/onboarding/me/upload/brand",
        "POST /api/onboarding/me/brand-assets",
        access=PORTAL,
        **_UPLOAD,
    ),
    http("onboarding_delete_brand_link", "DELETE /api/onboarding/{token}/brand-assets/{asset_id}", access=LINK),
    http("onboarding_delete_brand", "DELETE /api/onboarding/me/brand-assets/{asset_id}", access=PORTAL),
    http("onboarding_serve_file", "GET /api/onboarding/{token}/files/{file_id}/{name}", access=LINK, timeout_s=60),
    task("onboarding_finish", queue="onboarding", memory_mb=512, concurrency=4, timeout_s=60),
    schedule("onboarding_remind", cron="*/30 * * * *", timeout_s=120),
)

_CALLS = "/api/hub/calls"
_CALL = "/api/hub/calls/{call_id}"

# Calls of a client's prospects: read from CTM, classified, rated, organised. A {call_id} is CTM's.
LEADS = (
    http("leads_list_calls", f"GET {_CALLS}", access=PORTAL, timeout_s=60),
    http("leads_clear_and_reload", f"DELETE {_CALLS}", access=PORTAL, timeout_s=240, memory_mb=1024, concurrency=4),
    http("leads_sync_calls", f"POST {_CALLS}/sync", access=PORTAL, timeout_s=120, memory_mb=512, concurrency=8),
    http("leads_show_sync", f"GET {_CALLS}/sync", access=PORTAL),
    http(
        "leads_sync_fully", f"POST {_CALLS}/full-sync", access=PORTAL_ADMIN, timeout_s=120, memory_mb=512, concurrency=8
    ),
    http("leads_reset_cache", f"POST {_CALLS}/reset-cache", access=PORTAL_SUPER),
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
    task("leads_push_auto_star", queue="ctm-auto-stars", timeout_s=45),
)

_JOURNEY = "/api/hub/journeys/{journey_id}"
_STEP = "/api/hub/journeys/{journey_id}/steps/{step_id}"

# What follows a lead: steps to win it, and whom it became. A {lead_id} is CTM's.
JOURNEYS = (
    http("journeys_show_template", "GET /api/hub/journey-template", access=PORTAL),
    http("journeys_save_template", "PUT /api/hub/journey-template", access=PORTAL),
    http("journeys_list", "GET /api/hub/journeys", access=PORTAL),
    http("journeys_start", "POST /api/hub/journeys", access=PORTAL),
    http("journeys_show", f"GET {_JOURNEY}", access=PORTAL),
    http("journeys_update", f"PUT {_JOURNEY}", access=PORTAL),
    http("journeys_set_status", f"PUT {_JOURNEY}/status", access=PORTAL),
    http("journeys_archive", f"POST {_JOURNEY}/archive", access=PORTAL),
    http("journeys_restore", f"POST {_JOURNEY}/unarchive", access=PORTAL),
    http("journeys_apply_template", f"POST {_JOURNEY}/apply-template", access=PORTAL),
    http("journeys_add_note", f"POST {_JOURNEY}/notes", access=PORTAL),
    http("journeys_add_step", f"POST {_JOURNEY}/steps", access=PORTAL),
    http("journeys_update_step", f"PUT {_STEP}", access=PORTAL),
    http("journeys_complete_step", f"PUT {_STEP}/complete", access=PORTAL),
    http("journeys_delete_step", f"DELETE {_STEP}", access=PORTAL),
    http("journeys_list_active_clients", "GET /api/hub/active-clients", access=PORTAL),
    http(
        "journeys_agree_to_service",
        "POST /api/hub/active-clients",
        "POST /api/hub/clients/{lead_id}/agree-to-service",
        access=PORTAL,
    ),
    http("journeys_redact_own", "POST /api/hub/active-clients/redact-services", access=PORTAL),
    http("journeys_update_active_client", "PUT /api/hub/active-clients/{client_id}", access=PORTAL),
    http("journeys_archive_active_client", "POST /api/hub/active-clients/{client_id}/archive", access=PORTAL),
    http("journeys_restore_active_client", "POST /api/hub/active-clients/{client_id}/unarchive", access=PORTAL),
    schedule("journeys_redact", cron="0 7 * * *", timeout_s=300),
)

_TASKS = "/api/tasks"
_WORKSPACE = f"{_TASKS}/workspaces/{{workspaceId}}"
_BOARD = f"{_TASKS}/boards/{{boardId}}"
_GROUP = f"{_TASKS}/groups/{{groupId}}"
_ITEM = f"{_TASKS}/items/{{itemId}}"
_SUBITEM = f"{_TASKS}/subitems/{{subitemId}}"
_LABEL = f"{_TASKS}/status-labels/{{labelId}}"

# The staff's boards. What takes an admin beyond these levels is the workspace's own matter: ``areas.tasks.access``.
TASKS = (
    http("tasks_list_workspaces", f"GET {_TASKS}/workspaces", access=STAFF),
    http("tasks_create_workspace", f"POST {_TASKS}/workspaces", access=ADMIN),
    http("tasks_delete_workspace", f"DELETE {_WORKSPACE}", access=ADMIN, timeout_s=60),
    http("tasks_list_members", f"GET {_WORKSPACE}/members", access=STAFF),
    http("tasks_search_members", f"GET {_WORKSPACE}/members/search", access=STAFF),
    http("tasks_add_member", f"POST {_WORKSPACE}/members", access=STAFF),
    http("tasks_change_member", f"PATCH {_WORKSPACE}/members/{{memberUserId}}", access=STAFF),
    http("tasks_remove_member", f"DELETE {_WORKSPACE}/members/{{memberUserId}}", access=STAFF),
    http("tasks_list_boards", f"GET {_WORKSPACE}/boards", access=STAFF),
    http("tasks_list_all_boards", f"GET {_TASKS}/boards", access=STAFF),
    http("tasks_create_board", f"POST {_WORKSPACE}/boards", access=STAFF),
    http("tasks_update_board", f"PUT {_BOARD}", f"PATCH {_BOARD}", access=STAFF),
    http("tasks_delete_board", f"DELETE {_BOARD}", access=STAFF, timeout_s=60),
    http("tasks_view_board", f"GET {_BOARD}/view", access=STAFF),
    http("tasks_report_board", f"GET {_BOARD}/report", access=STAFF),
    http("tasks_export_board", f"GET {_BOARD}/export.csv", access=STAFF),
    http("tasks_list_archived", f"GET {_BOARD}/archived", access=STAFF),
    http("tasks_list_groups", f"GET {_BOARD}/groups", access=STAFF),
    http("tasks_create_group", f"POST {_BOARD}/groups", access=STAFF),
    http("tasks_update_group", f"PATCH {_GROUP}", access=STAFF),
    http("tasks_delete_group", f"DELETE {_GROUP}", access=STAFF, timeout_s=60),
    http("tasks_list_labels", f"GET {_BOARD}/status-labels", access=STAFF),
    http("tasks_create_label", f"POST {_BOARD}/status-labels", access=STAFF),
    http("tasks_copy_default_labels", f"POST {_BOARD}/status-labels/init", access=STAFF),
    http("tasks_update_label", f"PATCH {_LABEL}", access=STAFF),
    http("tasks_delete_label", f"DELETE {_LABEL}", access=STAFF),
    http("tasks_list_global_labels", f"GET {_TASKS}/status-labels/global", access=ADMIN),
    http("tasks_create_global_label", f"POST {_TASKS}/status-labels/global", access=ADMIN),
    http("tasks_create_item", f"POST {_TASKS}/items", f"POST {_GROUP}/items", access=STAFF),
    http("tasks_list_items", f"GET {_GROUP}/items", access=STAFF),
    http("tasks_update_item", f"PUT {_ITEM}", f"PATCH {_ITEM}", access=STAFF),
    http("tasks_archive_item", f"POST {_ITEM}/archive", f"DELETE {_ITEM}", access=STAFF),
    http("tasks_restore_item", f"POST {_ITEM}/restore", access=STAFF),
    http("tasks_list_changes", f"GET {_ITEM}/changes", access=STAFF),
    http("tasks_list_subitems", f"GET {_ITEM}/subitems", access=STAFF),
    http("tasks_create_subitem", f"POST {_ITEM}/subitems", access=STAFF),
    http("tasks_update_subitem", f"PATCH {_SUBITEM}", access=STAFF),
    http("tasks_archive_subitem", f"DELETE {_SUBITEM}", access=STAFF),
    http("tasks_restore_subitem", f"POST {_SUBITEM}/restore", access=STAFF),
    http("tasks_show_my_work", f"GET {_TASKS}/my-work", access=STAFF),
    http("tasks_list_updates", f"GET {_ITEM}/updates", access=STAFF),
    http("tasks_post_update", f"POST {_ITEM}/updates", access=STAFF),
    http("tasks_mark_updates_viewed", f"POST {_TASKS}/updates/mark-viewed", access=STAFF),
    http("tasks_show_views", f"POST {_TASKS}/updates/views", access=STAFF),
    http("tasks_list_files", f"GET {_ITEM}/files", access=STAFF),
    http("tasks_upload_file", f"POST {_ITEM}/files", access=STAFF, **_UPLOAD),
    http("tasks_list_assignees", f"GET {_ITEM}/assignees", access=STAFF),
    http("tasks_add_assignee", f"POST {_ITEM}/assignees", access=STAFF),
    http("tasks_remove_assignee", f"DELETE {_ITEM}/assignees/{{assigneeUserId}}", access=STAFF),
    schedule("tasks_archive_done", cron="40 7 * * *", timeout_s=300),
    schedule("tasks_purge_archived", cron="20 7 * * *", timeout_s=300),
)

# Time, automations and the AI on the task platform. The AI is given longer than elsewhere: it writes a page.
_THINKS = {"timeout_s": 40, "concurrency": 20}
TASK_WORK = (
    http("tasks_list_time", f"GET {_ITEM}/time-entries", access=STAFF),
    http("tasks_log_time", f"POST {_ITEM}/time-entries", access=STAFF),
    http("tasks_change_time", f"PATCH {_TASKS}/time-entries/{{entryId}}", access=STAFF),
    http("tasks_delete_time", f"DELETE {_TASKS}/time-entries/{{entryId}}", access=STAFF),
    http("tasks_report_boards", f"POST {_TASKS}/reports/boards", access=STAFF),
    http("tasks_report_billing", f"POST {_TASKS}/reports/billing", access=STAFF, timeout_s=60),
    http("tasks_list_automations", f"GET {_BOARD}/automations", access=STAFF),
    http("tasks_create_automation", f"POST {_BOARD}/automations", access=STAFF),
    http("tasks_list_global_automations", f"GET {_TASKS}/automations/global", access=ADMIN),
    http("tasks_create_global_automation", f"POST {_TASKS}/automations/global", access=ADMIN),
    http("tasks_change_automation", f"PATCH {_TASKS}/automations/{{automationId}}", access=STAFF),
    http("tasks_delete_automation", f"DELETE {_TASKS}/automations/{{automationId}}", access=STAFF),
    http("tasks_list_runs", f"GET {_TASKS}/automations/runs", access=STAFF),
    http("tasks_show_summary", f"GET {_ITEM}/ai-summary", access=STAFF),
    http(
        "tasks_make_summary",
        f"POST {_ITEM}/ai-summary",
        f"POST {_ITEM}/ai-summary/refresh",
        access=STAFF,
        **_THINKS,
    ),
    http(
        "tasks_show_overview",
        f"GET {_TASKS}/daily-overview",
        f"GET {_TASKS}/ai/daily-overview",
        access=STAFF,
        **_THINKS,
    ),
    event("tasks_run_automations", topic="task-item-changed"),
    task("tasks_summarise_item", queue="ai", **_THINKS),
    task("tasks_write_overview", queue="ai", **_THINKS),
    schedule("tasks_run_due_automations", cron="5 * * * *", timeout_s=300),
)

_APPS = "/api/hub/oauth-providers"
_CLIENTS_OWN = "/api/hub/clients/{clientId}"
_CONNECTION = "/api/hub/oauth-connections/{id}"
_CONNECTS = ("google", "facebook", "instagram", "tiktok", "wordpress")

# Clients' accounts at the vendors. Admins keep them; a vendor's redirect comes back to the callback.
CONNECTIONS = (
    http("connections_list_providers", f"GET {_APPS}", access=SUPER),
    http("connections_show_provider", f"GET {_APPS}/{{id}}", access=SUPER),
    http("connections_create_provider", f"POST {_APPS}", access=SUPER),
    http("connections_update_provider", f"PUT {_APPS}/{{id}}", access=SUPER),
    http("connections_delete_provider", f"DELETE {_APPS}/{{id}}", access=SUPER),
    http("connections_list", f"GET {_CLIENTS_OWN}/oauth-connections", access=ADMIN),
    http("connections_create", f"POST {_CLIENTS_OWN}/oauth-connections", access=ADMIN),
    http("connections_update", f"PUT {_CONNECTION}", access=ADMIN),
    http("connections_revoke", f"POST {_CONNECTION}/revoke", access=ADMIN),
    http("connections_delete", f"DELETE {_CONNECTION}", access=ADMIN),
    http("connections_start", *(f"POST /api/hub/oauth/{name}/connect" for name in _CONNECTS), access=ADMIN),
    http(
        "connections_finish",
        *(f"GET /api/hub/oauth/{name}/callback" for name in _CONNECTS if name != "instagram"),
        access=PUBLIC,
        timeout_s=60,
    ),
    http("connections_list_google_accounts", f"GET {_CONNECTION}/google-accounts", access=ADMIN, timeout_s=60),
    http("connections_list_google_locations", f"GET {_CONNECTION}/google-locations", access=ADMIN, timeout_s=60),
    http("connections_list_facebook_pages", f"GET {_CONNECTION}/facebook-pages", access=ADMIN, timeout_s=60),
    http("connections_list_instagram_accounts", f"GET {_CONNECTION}/instagram-accounts", access=ADMIN, timeout_s=60),
    http("connections_show_tiktok_account", f"GET {_CONNECTION}/tiktok-account", access=ADMIN, timeout_s=60),
    http("connections_list_wordpress_sites", f"GET {_CONNECTION}/wordpress-sites", access=ADMIN, timeout_s=60),
    http("connections_connect_wordpress", "POST /api/hub/wordpress/connect", access=ADMIN, timeout_s=60),
    http("connections_test_wordpress", "POST /api/hub/wordpress/test", access=ADMIN, timeout_s=60),
    http("connections_list_resources", "GET /api/hub/oauth-connections/{connectionId}/resources", access=ADMIN),
    http("connections_add_resource", "POST /api/hub/oauth-connections/{connectionId}/resources", access=ADMIN),
    http("connections_list_client_resources", f"GET {_CLIENTS_OWN}/oauth-resources", access=ADMIN),
    http("connections_update_resource", "PUT /api/hub/oauth-resources/{id}", access=ADMIN),
    http("connections_delete_resource", "DELETE /api/hub/oauth-resources/{id}", access=ADMIN),
    task("connections_withdraw", queue="vendors", timeout_s=60),
    task("connections_publish_post", queue="vendors", timeout_s=300, memory_mb=512, concurrency=4),  # holds images
    event("connections_announce_break", topic="connection-broken"),
    schedule("connections_renew_expiring", cron="*/15 * * * *", timeout_s=300),
)

# Clients' requests and tasks at monday.com. Reading and creating waits for it.
MONDAY = (
    http("monday_show_settings", "GET /api/hub/monday/settings", access=SUPER),
    http("monday_save_settings", "PUT /api/hub/monday/settings", access=SUPER),
    http("monday_list_boards", "GET /api/hub/monday/boards", access=ADMIN, timeout_s=60),
    http("monday_list_groups", "GET /api/hub/monday/boards/{board_id}/groups", access=ADMIN),
    http("monday_list_columns", "GET /api/hub/monday/boards/{board_id}/columns", access=ADMIN),
    http("monday_list_people", "GET /api/hub/monday/people", access=ADMIN, timeout_s=60),
    http("monday_list_requests", "GET /api/hub/requests", access=PORTAL, timeout_s=60),
    http("monday_submit_request", "POST /api/hub/requests", access=PORTAL, **{**_UPLOAD, "max_body_kb": 16 * 1024}),
    task("monday_finish_request", queue="monday", timeout_s=90, memory_mb=512, concurrency=4),
    schedule("monday_poll", cron="*/5 * * * *", timeout_s=180),
    event("monday_sync", topic="monday-sync-due", timeout_s=120, concurrency=8),
    event("monday_follow_item", topic="task-item-changed"),
    task("monday_sync_item", queue="monday", timeout_s=90),
)

_POST = {"max_body_kb": 12 * 1024, "memory_mb": 512, "concurrency": 8}  # generated images come inside of the HTML
BLOG = (
    http("blog_list_posts", "GET /api/hub/blog-posts", access=PORTAL),
    http("blog_show_post", "GET /api/hub/blog-posts/{id}", access=PORTAL),
    http("blog_create_post", "POST /api/hub/blog-posts", access=PORTAL, **_POST),
    http("blog_update_post", "PUT /api/hub/blog-posts/{id}", access=PORTAL, **_POST),
    http("blog_delete_post", "DELETE /api/hub/blog-posts/{id}", access=PORTAL),
    http("blog_suggest_ideas", "POST /api/hub/blog-posts/ai/ideas", access=PORTAL, timeout_s=60, memory_mb=512),
    http("blog_draft_post", "POST /api/hub/blog-posts/ai/draft", access=PORTAL, timeout_s=100, memory_mb=512),
    http(
        "blog_draw_image",
        "POST /api/hub/blog-posts/ai/image",
        access=PORTAL,
        timeout_s=70,
        memory_mb=512,
        concurrency=8,
    ),
)

_REVIEWS = "/api/reviews"
_REVIEW = "/api/reviews/{id}"
_DRAFTS = "/api/reviews/drafts/{draft_id}"

# Reviews of a client's business at Google: read, answered, asked for, and acted on by rules.
REVIEWS = (
    http("reviews_list", f"GET {_REVIEWS}", access=PORTAL),
    http("reviews_show_stats", f"GET {_REVIEWS}/stats", access=PORTAL),
    http("reviews_show_connection", f"GET {_REVIEWS}/connection-status", access=PORTAL),
    http("reviews_list_locations", f"GET {_REVIEWS}/locations", access=PORTAL),
    http("reviews_refresh_locations", f"POST {_REVIEWS}/locations/refresh", access=PORTAL, timeout_s=60),
    http("reviews_show_settings", f"GET {_REVIEWS}/settings", access=PORTAL),
    http("reviews_save_settings", f"PUT {_REVIEWS}/settings", access=PORTAL),
    http("reviews_list_rules", f"GET {_REVIEWS}/automation-rules", access=PORTAL_ADMIN),
    http("reviews_create_rule", f"POST {_REVIEWS}/automation-rules", access=PORTAL_ADMIN),
    http("reviews_update_rule", f"PUT {_REVIEWS}/automation-rules/{{id}}", access=PORTAL_ADMIN),
    http("reviews_delete_rule", f"DELETE {_REVIEWS}/automation-rules/{{id}}", access=PORTAL_ADMIN),
    http("reviews_list_logs", f"GET {_REVIEWS}/automation-logs", access=PORTAL),
    http("reviews_list_requests", f"GET {_REVIEWS}/requests", access=PORTAL),
    http("reviews_create_request", f"POST {_REVIEWS}/requests", access=PORTAL, timeout_s=60),
    http("reviews_show_request", f"GET {_REVIEWS}/requests/{{id}}", access=PORTAL),
    http("reviews_sync_now", f"POST {_REVIEWS}/sync", access=PORTAL, timeout_s=90, concurrency=8),
    http("reviews_show", f"GET {_REVIEW}", access=PORTAL),
    http("reviews_flag", f"PUT {_REVIEW}/flag", access=PORTAL),
    http("reviews_set_priority", f"PUT {_REVIEW}/priority", access=PORTAL),
    http("reviews_save_notes", f"PUT {_REVIEW}/notes", f"POST {_REVIEW}/notes", access=PORTAL),
    http("reviews_draft_response", f"POST {_REVIEW}/draft", f"POST {_REVIEW}/generate-response", access=PORTAL),
    http("reviews_analyze_sentiment", f"POST {_REVIEW}/analyze-sentiment", access=PORTAL),
    http("reviews_respond", f"POST {_REVIEW}/respond", f"POST {_REVIEW}/send-response", access=PORTAL, timeout_s=60),
    http("reviews_edit_draft", f"PUT {_DRAFTS}", access=PORTAL),
    http("reviews_approve_draft", f"POST {_DRAFTS}/approve", access=PORTAL),
    http("reviews_discard_draft", f"POST {_DRAFTS}/discard", access=PORTAL),
    http("reviews_send_draft", f"POST {_DRAFTS}/send", access=PORTAL, timeout_s=60),
    http("reviews_follow_link", "GET /r/{token}", access=LINK),
    http("reviews_show_stop", "GET /r/{token}/stop", access=LINK),
    http("reviews_stop_requests", "POST /r/{token}/stop", access=LINK),
    schedule("reviews_poll_google", cron="*/15 * * * *"),
    event("reviews_sync", topic="reviews-sync-due", timeout_s=240, memory_mb=512, concurrency=4, max_instances=5),
    task("reviews_evaluate", queue="reviews", timeout_s=45),
    task("reviews_run_rule", queue="reviews", timeout_s=45),
    task("reviews_catch_up", queue="reviews", timeout_s=60, concurrency=4),
    task("reviews_send_reply", queue="google", timeout_s=60),
)

FUNCTIONS: tuple[Function, ...] = (
    *(*JOBS, *FORMS, *FORMS_ADMIN, *EMAILS, *ACCOUNTS),
    *(*FILES, *NOTIFICATIONS, *DOCUMENTS, *CLIENTS, *PROFILES, *BRAND, *ONBOARDING),
    *(*LEADS, *JOURNEYS, *TASKS, *TASK_WORK),
    *(*CONNECTIONS, *MONDAY, *BLOG, *REVIEWS),
)

BY_NAME: dict[str, Function] = {function.name: function for function in FUNCTIONS}


def by_trigger(trigger: Trigger) -> Iterator[Function]:
    return (function for function in FUNCTIONS if function.trigger == trigger)


def listeners(topic: str) -> Iterator[Function]:
    return (function for function in FUNCTIONS if function.topic == topic)
