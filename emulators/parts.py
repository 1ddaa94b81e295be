"""Which parts make up the local cloud, and what each is told. The supervisor starts whatever this lists."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from emulators.cloud_tasks import CloudTasks
from emulators.component import Component
from emulators.faults import Faults
from emulators.firestore import Firestore
from emulators.identity import identity_token
from emulators.postgres import EmbeddedPostgres, GivenPostgres
from emulators.pubsub import Pubsub, PushSubscription
from emulators.secret_manager import SecretManager
from emulators.storage import Storage
from emulators.vendors.ctm import Ctm
from emulators.vendors.facebook import Facebook
from emulators.vendors.google import Google
from emulators.vendors.mailgun import RETRY_AFTER_S, Mailgun
from emulators.vendors.microsoft import Microsoft
from emulators.vendors.monday import Monday
from emulators.vendors.tiktok import TikTok
from emulators.vendors.vendor import Vendor
from emulators.vendors.wordpress import WordPress
from emulators.vertex import Vertex
from shared.manifest import EVENT_ATTEMPTS, QUEUES, TOPICS, by_trigger

WEBHOOK_PATH = "/api/webhooks/mailgun"
DEAD_LETTERS = "dead-letters"
HURRY = 300  # the local cloud's vendors repeat a webhook this many times sooner than the real ones


@dataclass(slots=True)
class Setup:
    """What the parts need to know before they start."""

    state_dir: Path
    faults: Faults
    secrets: Mapping[str, str]
    base_url: str
    functions_url: str = ""
    push_key: str = ""  # stands for the identity that Google's own Pub/Sub emulator does not send
    project: str = "anchor-local"
    uploads_bucket: str = "anchor-uploads"
    stand_ins: bool = False  # do not look for Google's official emulators
    durable: bool = True  # false: the database may lose data when the machine crashes, and is faster
    auto_events: tuple[str, ...] = ()


@dataclass(slots=True)
class Parts:
    """Everything but the functions, the gateway and the scheduler. Stopped in this order: deliverers first."""

    deliverers: list[Component] = field(default_factory=list)  # they call the functions
    services: list[Component] = field(default_factory=list)
    database: Component | None = None  # its ``env`` names DATABASE_URL

    def all(self) -> list[Component]:
        return [*([self.database] if self.database else []), *self.services, *self.deliverers]

    def named(self, name: str) -> Component | None:
        return next((one for one in self.all() if one.status.name == name), None)


def vendors(setup: Setup) -> list[Vendor]:
    """Every vendor, with the secrets that the functions will show it."""
    faults, secret = setup.faults, setup.secrets
    hurried = tuple(delay / HURRY for delay in RETRY_AFTER_S)
    return [
        Ctm(faults),
        Mailgun(
            faults,
            api_key=secret["MAILGUN_API_KEY"],
            signing_key=secret["MAILGUN_WEBHOOK_SIGNING_KEY"],
            webhook_url=f"{setup.base_url}{WEBHOOK_PATH}",
            auto_events=setup.auto_events,
            retry_delays_s=hurried,
        ),
        Monday(
            faults,
            token=secret["MONDAY_API_KEY"],
            signing_secret=secret["MONDAY_SIGNING_SECRET"],
            retry_delays_s=(60 / HURRY,) * 30,
        ),
        Google(faults, client_secret=secret["GOOGLE_OAUTH_CLIENT_SECRET"]),
        Microsoft(faults, client_secret=secret["MICROSOFT_OAUTH_CLIENT_SECRET"]),
        Facebook(faults, client_secret=secret["FACEBOOK_APP_SECRET"]),
        TikTok(faults, client_secret=secret["TIKTOK_CLIENT_SECRET"]),
        WordPress(faults, client_secret=secret["WORDPRESS_CLIENT_SECRET"]),
    ]


def build(setup: Setup) -> Parts:
    """The whole local cloud."""
    faults, state = setup.faults, setup.state_dir
    env = {**os.environ, **({"ANCHOR_EMULATORS": "stand-in"} if setup.stand_ins else {})}
    return Parts(
        deliverers=[
            CloudTasks(state / "tasks.db", faults, QUEUES.values(), oidc=_oidc),
            Pubsub(TOPICS, pushes(setup), project=setup.project, state_dir=state, faults=faults, env=env),
        ],
        services=[
            *vendors(setup),
            SecretManager(setup.secrets, faults),
            Vertex(faults),
            Firestore(state_dir=state, faults=faults, env=env),
            Storage(setup.uploads_bucket, state),
        ],
        database=GivenPostgres(url)
        if (url := os.environ.get("DATABASE_URL"))
        else EmbeddedPostgres(state / "postgres", durable=setup.durable),
    )


def pushes(setup: Setup) -> list[PushSubscription]:
    """A push subscription for every function that listens; what it refuses too often goes to the dead letters."""
    return [
        PushSubscription(
            name=function.name,
            topic=function.topic or "",
            endpoint=f"{setup.functions_url}/_functions/{function.name}?push_key={setup.push_key}",
            attempts=EVENT_ATTEMPTS,
            ack_deadline_s=max(10, function.lease_s),
            dead_letter_topic=None if function.topic == DEAD_LETTERS else DEAD_LETTERS,
        )
        for function in by_trigger("event")
    ]


def _oidc(audience: str, email: str) -> str:
    return identity_token(email, audience)
