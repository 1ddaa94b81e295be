"""Which parts make up the local cloud, and what each is told. The supervisor starts whatever this lists."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from emulators.component import Component
from emulators.faults import Faults
from emulators.identity import identity_token
from emulators.pubsub import PushSubscription
from emulators.vendors.ctm import Ctm
from emulators.vendors.facebook import Facebook
from emulators.vendors.google import Google
from emulators.vendors.mailgun import RETRY_AFTER_S, Mailgun
from emulators.vendors.microsoft import Microsoft
from emulators.vendors.monday import Monday
from emulators.vendors.tiktok import TikTok
from emulators.vendors.vendor import Vendor
from emulators.vendors.wordpress import WordPress
from shared.config import Settings
from shared.manifest import EVENT_ATTEMPTS, QUEUES, TOPICS, by_trigger

WEBHOOK_PATH = "/api/webhooks/mailgun"
HURRY = 300  # the local cloud's vendors repeat a webhook this many times sooner than the real ones


@dataclass(slots=True)
class Setup:
    """What the parts need to know before they start."""

    state_dir: Path
    faults: Faults
    secrets: Mapping[str, str]
    base_url: str
    functions_url: str = ""  # where the functions host listens
    push_key: str = ""  # what proves to the functions host that a push comes from our own Pub/Sub
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


def subscriptions(setup: Setup) -> list[PushSubscription]:
    """One push subscription a listener, named after it; what is refused too often goes to ``dead-letters``."""
    return [
        PushSubscription(
            name=function.name,
            topic=function.topic or "",
            endpoint=f"{setup.functions_url}/_functions/{function.name}?push_key={setup.push_key}",
            attempts=EVENT_ATTEMPTS,
            ack_deadline_s=max(10, function.timeout_s),
            min_backoff_s=1,
            dead_letter_topic=None if function.topic == "dead-letters" else "dead-letters",
        )
        for function in by_trigger("event")
    ]


def build(setup: Setup) -> Parts:
    """The whole local cloud."""
    from emulators.cloud_tasks import CloudTasks
    from emulators.firestore import Firestore
    from emulators.postgres import EmbeddedPostgres
    from emulators.pubsub import Pubsub
    from emulators.secret_manager import SecretManager
    from emulators.storage import Storage
    from emulators.vertex import Vertex

    faults, state, usual = setup.faults, setup.state_dir, Settings()
    env = {**os.environ, **({"ANCHOR_EMULATORS": "stand-in"} if setup.stand_ins else {})}

    def oidc(audience: str, email: str) -> str:
        return identity_token(email, audience)

    return Parts(
        deliverers=[
            CloudTasks(state / "tasks.db", faults, QUEUES.values(), oidc=oidc),
            Pubsub(
                TOPICS,
                subscriptions(setup),
                project=usual.gcp_project_id,
                state_dir=state,
                faults=faults,
                env=env,
            ),
        ],
        services=[
            *vendors(setup),
            SecretManager(setup.secrets, faults),
            Vertex(faults),
            Firestore(state_dir=state, faults=faults, env=env),
            Storage(usual.uploads_bucket, state),
        ],
        database=EmbeddedPostgres(state / "postgres", durable=setup.durable),
    )
