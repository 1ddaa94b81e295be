"""Every setting, one class, one environment variable a line (the field's name in upper case).

Secrets are not here: ``shared.gcp.secrets`` reads them from the environment or from Secret Manager, and their names are
listed in ``SECRETS``. A value that cannot be read stops the instance at start, with the variable's name.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Literal, get_args
from zoneinfo import ZoneInfo

SECRETS = (
    "JWT_SECRET",  # signs access tokens and embed page tokens (HS256, 32 bytes or more)
    "ENCRYPTION_KEYS",  # {"current": "k2", "keys": {"k1": "<base64, 32 bytes>", "k2": …}}
    "HASH_KEY",  # keys the hashes of one-time codes and rate-limit subjects
    "MAILGUN_API_KEY",
    "MAILGUN_WEBHOOK_SIGNING_KEY",
    "MONDAY_API_KEY",
    "MONDAY_SIGNING_SECRET",
    "GOOGLE_OAUTH_CLIENT_SECRET",
    "MICROSOFT_OAUTH_CLIENT_SECRET",
    "FACEBOOK_APP_SECRET",
    "TIKTOK_CLIENT_SECRET",
    "WORDPRESS_CLIENT_SECRET",
)

Thinking = Literal["minimal", "low", "medium", "high"]
TimeZone = str  # a name that the time zone database knows, such as Europe/Berlin


@dataclass(frozen=True, slots=True, kw_only=True)
class DefaultDocument:
    """A document that every client sees among their own."""

    id: str
    label: str
    url: str
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Settings:
    """What the environment says. Defaults are those of a laptop; production sets its own in Terraform.

    Compared by identity: what is remembered for a process's settings is looked up at every request.
    """

    environment: str = "local"  # local, dev or prod
    app_base_url: str = "http://localhost:8080"  # the one public address: mailed links, embeds, cookies
    client_app_url: str = ""  # the dashboard's own origin, when it differs
    cors_origins: tuple[str, ...] = ()  # further origins that may call with credentials
    csp_frame_src: tuple[str, ...] = ()  # who may be framed by the dashboard (Looker)
    csp_img_src: tuple[str, ...] = ()  # further image hosts
    trusted_proxy_hops: int = 1  # how many proxies append to X-Forwarded-For; 0 = use the socket's peer

    behind_gateway: bool = False  # API Gateway holds Authorization; the caller's own is in X-Forwarded-Authorization

    database_url: str = "postgresql://localhost/anchor"
    database_pool_size: int = 4  # connections one instance may hold
    database_timeout_s: float = 10.0  # for one statement
    database_acquire_timeout_s: float = 5.0  # for a free connection

    gcp_project_id: str = "anchor-local"
    gcp_region: str = "us-central1"
    function_url_template: str = "http://127.0.0.1:8081/{name}"  # {name} or {service} (dashes) of a function
    invoker_email: str = "invoker@anchor-local.iam.gserviceaccount.com"  # who calls tasks, events and schedules
    uploads_bucket: str = "anchor-uploads"
    cloud_tasks_emulator_host: str = ""  # host:port of a Cloud Tasks stand-in; empty = Google
    secret_manager_emulator_host: str = ""
    vertex_emulator_host: str = ""
    pubsub_emulator_host: str = ""
    firestore_emulator_host: str = ""
    storage_emulator_host: str = ""  # a URL, as Google's client expects it
    storage_timeout_s: float = 20.0  # for each wait on the bucket, not for a whole file

    vertex_location: str = "global"  # or us, eu, or a region that serves the models
    vertex_model: str = "gemini-3.1-flash-lite"
    vertex_classifier_model: str = "gemini-3.1-flash-lite"
    vertex_thinking: Thinking = "minimal"  # of models that think before they answer
    vertex_imagen_model: str = "gemini-3.1-flash-image"  # the seeds' name for it; Imagen itself has ended
    vertex_timeout_s: float = 8.0
    vertex_vision_model: str = ""  # reads documents; empty = vertex_model
    vertex_fallback_models: tuple[str, ...] = ("gemini-3.5-flash-lite", "gemini-3.5-flash")  # where one is missing
    vertex_writing_timeout_s: float = 25.0  # for an answer of a page: a summary, an overview
    vertex_image_timeout_s: float = 60.0
    forms_ai_timeout_s: float = 90.0
    forms_ai_pdf_max_pages: int = 25
    forms_ai_vision_max_pages: int = 10
    forms_ai_per_hour: int = 30  # of one member of staff
    blog_draft_max_tokens: int = 4096
    blog_draft_timeout_s: float = 90.0
    vertex_at_once: int = 64  # prompts that one instance may have open

    ctm_api_base: str = "https://api.calltrackingmetrics.com"
    ctm_timeout_s: float = 8.0
    ctm_overlap_days: int = 7  # read again with every sync: transcripts and ratings come late
    ctm_deep_days: int = 60  # read again once a day
    ctm_full_sync_days: int = 365  # read by a client's first sync, and by a full one
    mailgun_api_base: str = "https://api.mailgun.net"
    mailgun_domain: str = "mail.anchor.test"
    mailgun_from_email: str = "hello@mail.anchor.test"
    mailgun_from_name: str = "Anchor"
    mailgun_timeout_s: float = 5.0
    mailgun_events_delay_s: float = 60.0  # how long Mailgun's event log may take to show what it accepted

    monday_api_base: str = "https://api.monday.com"
    monday_api_version: str = "2026-10"  # from 2027-01 on activity_logs has another shape
    monday_account_url: str = "https://app.monday.com"  # where people open items
    monday_timeout_s: float = 15.0
    monday_look_every_s: float = 3600.0  # how often a board is read although nothing is known to have changed
    monday_submit_timeout_s: float = 8.0  # how long whoever submits a request waits for its item

    access_token_lifetime_s: int = 900
    onboarding_link_lifetime_h: int = 72
    onboarding_reminder_before_h: int = 24  # how long before its link ends a client is reminded
    onboarding_notify_emails: tuple[str, ...] = ()  # staff told of a finished onboarding beside the head staff
    agency_time_zone: TimeZone = "America/New_York"  # where the agency's days begin: due dates, reports, overviews
    default_documents: tuple[DefaultDocument, ...] = ()  # JSON list of {"id", "label", "url", perhaps "name"}
    task_archive_retention_days: int = 30  # done items are archived after so many, archived ones purged; 0 means 30
    session_cookie_lifetime_s: int = 12 * 3600  # of the cookie that keeps links and old pages working; slides with use
    refresh_token_lifetime_days: int = 30  # slides with every refresh
    absolute_session_lifetime_days: int = 90
    refresh_grace_s: int = 30  # how long a rotated refresh token still answers: two tabs may load at once
    device_trust_days: int = 30
    mfa_otp_expiry_minutes: int = 10
    mfa_max_attempts: int = 5
    mfa_inactivity_days: int = 30
    max_login_failures: int = 5
    account_lockout_minutes: int = 30
    password_min_length: int = 12
    password_reset_ttl_minutes: int = 60
    email_verification_ttl_minutes: int = 60
    registration_enabled: bool = False  # may anyone make an account?
    provider_sign_in_enabled: bool = False  # Google and Microsoft

    google_oauth_client_id: str = ""
    google_accounts_base: str = "https://accounts.google.com"
    google_oauth_base: str = "https://oauth2.googleapis.com"
    google_apis_base: str = "https://www.googleapis.com"
    microsoft_oauth_client_id: str = ""
    microsoft_login_base: str = "https://login.microsoftonline.com"
    openid_timeout_s: float = 5.0
    google_business_reviews_base: str = "https://mybusiness.googleapis.com"
    google_business_timeout_s: float = 8.0
    google_business_accounts_base: str = "https://mybusinessaccountmanagement.googleapis.com"
    google_business_information_base: str = "https://mybusinessbusinessinformation.googleapis.com"
    facebook_app_id: str = ""
    facebook_dialog_base: str = "https://www.facebook.com"
    facebook_graph_base: str = "https://graph.facebook.com"
    facebook_graph_version: str = "v18.0"
    tiktok_client_key: str = ""
    tiktok_auth_base: str = "https://www.tiktok.com"
    tiktok_api_base: str = "https://open.tiktokapis.com"
    wordpress_client_id: str = ""
    wordpress_api_base: str = "https://public-api.wordpress.com"
    wordpress_local_sites: tuple[str, ...] = ()  # origins of sites on this laptop; nothing in the cloud reads it
    connections_timeout_s: float = 8.0  # for one answer of a vendor with OAuth

    @property
    def is_local(self) -> bool:
        return self.environment == "local"

    @property
    def agency_zone(self) -> ZoneInfo:
        return ZoneInfo(self.agency_time_zone)

    @property
    def allowed_origins(self) -> frozenset[str]:
        """Origins that may call with credentials, without trailing slashes."""
        known = (self.app_base_url, self.client_app_url, *self.cors_origins)
        return frozenset(origin.rstrip("/") for origin in known if origin)

    def function_url(self, name: str) -> str:
        """Where the function *name* is called by Tasks, Pub/Sub and Scheduler; also its OIDC audience."""
        return self.function_url_template.format(name=name, service=name.replace("_", "-"))

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Settings:
        """Read each field from its variable; raise ValueError naming the first one that cannot be read."""
        given = {f.name: _read(f.name, str(f.type), env[f.name.upper()]) for f in fields(cls) if f.name.upper() in env}
        return cls(**given)  # type: ignore[arg-type]  # _read returns what the field's annotation asks for


def _read(name: str, kind: str, text: str) -> object:
    try:
        match kind:
            case "int":
                return int(text)
            case "bool":
                return {"true": True, "1": True, "false": False, "0": False}[text.strip().lower()]
            case "float":
                return float(text)
            case "TimeZone":
                return ZoneInfo(text.strip()).key
            case "Thinking":
                return get_args(Thinking)[get_args(Thinking).index(text.strip().lower())]
            case "tuple[str, ...]":
                return tuple(part.strip() for part in text.split(",") if part.strip())
            case "tuple[DefaultDocument, ...]":
                return tuple(map(_default_document, json.loads(text or "[]")))
            case _:
                return text
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{name.upper()} must be of type {kind}") from error


def _default_document(given: object) -> DefaultDocument:
    if not isinstance(given, dict) or not all(isinstance(value, str) for value in given.values()):
        raise ValueError("a document is an object of texts")
    return DefaultDocument(**given)


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The settings of this process, read once."""
    return Settings.from_env(os.environ)
