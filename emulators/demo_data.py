"""The demo's people, clients and forms: what a newcomer finds after ``make up``. Loading it again changes nothing.

Every password is ``Anchor-Demo-2026!``; one-time codes arrive in the mail box of the console.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

from shared.crypto import KeyRing, column_context

if TYPE_CHECKING:
    import asyncpg

    from emulators.vendors.ctm import Ctm

PASSWORD = "Anchor-Demo-2026!"
_NAMESPACE = UUID("9d0c2c2e-6f1f-4d43-9a7b-2f1f5a1f7d10")


def demo_id(name: str) -> UUID:
    """The id of a demo thing, the same on every machine."""
    return uuid5(_NAMESPACE, name)


@dataclass(frozen=True, slots=True)
class DemoClient:
    """A client of the agency, with its accounts at the vendors."""

    key: str
    business: str
    email: str
    about: str

    @property
    def id(self) -> UUID:
        return demo_id(f"user {self.email}")

    @property
    def ctm_account(self) -> str:
        return str(41000 + list(CLIENTS).index(self.key))

    @property
    def reactor(self) -> str:
        return f"FRT{self.ctm_account}"


STAFF = (
    ("superadmin", "admin@anchor.test", "Avery", "Admin"),
    ("admin", "lead@anchor.test", "Lee", "Lead"),
    ("team", "team@anchor.test", "Toni", "Team"),
)
SUPERADMIN, _, TEAM = (email for _, email, *_ in STAFF)
CLIENTS = {
    client.key: client
    for client in (
        DemoClient("dental", "Harbor Dental", "dental@client.test", "A dental practice: cleaning, whitening, braces."),
        DemoClient("roofing", "Summit Roofing", "roofing@client.test", "A roofer: repairs, new roofs, inspections."),
        DemoClient("bakery", "Corner Bakery", "bakery@client.test", "A bakery: cakes to order and catering."),
    )
}

_CONTACT = [
    {"name": "name", "type": "text", "label": "Your name", "required": True},
    {"name": "phone", "type": "phone", "label": "Phone", "required": True},
    {"name": "email", "type": "email", "label": "E-mail", "required": False},
]
FORMS: dict[str, dict[str, Any]] = {
    "contact": {
        "client": "roofing",
        "name": "Contact us",
        "type": "conversion",
        "fields": [*_CONTACT, {"name": "message", "type": "textarea", "label": "How can we help?", "required": True}],
        "recipients": ["office@roofing.test", "sales@roofing.test"],
        "ctm": True,
    },
    "quote": {
        "client": "bakery",
        "name": "Ask for a quote",
        "type": "conversion",
        "fields": [
            *_CONTACT,
            {"name": "occasion", "type": "select", "label": "Occasion", "options": ["Wedding", "Birthday", "Other"]},
            {
                "name": "guests",
                "type": "number",
                "label": "Guests",
                "show_if": {"field": "occasion", "operator": "equals", "value": "Wedding"},
            },
            {"name": "message", "type": "textarea", "label": "Details"},
            {"name": "picture", "type": "file", "label": "A picture of it", "accept": "image/*", "multiple": True},
        ],
        "recipients": ["orders@bakery.test"],
        "ctm": True,
        "five_star": True,
    },
    "intake": {
        "client": "dental",
        "name": "New patient intake",
        "type": "intake",
        "fields": [
            *_CONTACT,
            {"name": "dob", "type": "date", "label": "Date of birth", "required": True},
            {"name": "health_history", "type": "textarea", "label": "Health history"},
        ],
        "recipients": ["frontdesk@dental.test"],
        "ctm": False,
    },
}


def form_id(key: str) -> UUID:
    return demo_id(f"form {key}")


async def load(connection: asyncpg.Connection, ring: KeyRing) -> None:
    """Put the demo's rows into an empty or already loaded database, in one transaction."""
    from argon2 import PasswordHasher

    password_hash = PasswordHasher(time_cost=3, memory_cost=64 * 1024, parallelism=4).hash(PASSWORD)
    async with connection.transaction():
        for role, email, first, last in STAFF:
            await _user(connection, role, email, first, last, password_hash)
        for client in CLIENTS.values():
            first, last = client.business.split()
            await _user(connection, "client", client.email, first, last, password_hash)
            await _profile(connection, client, ring)
        for key, form in FORMS.items():
            await _form(connection, key, form)


async def _user(
    connection: asyncpg.Connection, role: str, email: str, first: str, last: str, password_hash: str
) -> None:
    await connection.execute(
        """
        insert into users (id, first_name, last_name, email, password_hash, role, email_verified_at)
        values ($1, $2, $3, $4, $5, $6, now()) on conflict do nothing
        """,
        demo_id(f"user {email}"), first, last, email, password_hash, role,
    )  # fmt: skip


async def _profile(connection: asyncpg.Connection, client: DemoClient, ring: KeyRing) -> None:
    keys = {"ctm_api_key": f"key-{client.ctm_account}", "ctm_api_secret": f"secret-{client.ctm_account}"}
    sealed = {
        name: ring.seal_text(value, context=column_context("client_profiles", name, client.id))
        for name, value in keys.items()
    }
    await connection.execute(
        """
        insert into client_profiles (user_id, ai_prompt, ctm_account_number, ctm_api_key, ctm_api_secret,
            ctm_credentials_key_id, auto_star_enabled, onboarding_completed_at, activated_at)
        values ($1, $2, $3, $4, $5, $6, true, now(), now()) on conflict do nothing
        """,
        client.id, client.about, client.ctm_account, sealed["ctm_api_key"], sealed["ctm_api_secret"], ring.current,
    )  # fmt: skip
    await connection.execute(
        """
        insert into brand_assets (user_id, business_name, business_description)
        select $1, $2, $3 where not exists (select from brand_assets where user_id = $1)
        """,
        client.id, client.business, client.about,
    )  # fmt: skip


async def _form(connection: asyncpg.Connection, key: str, form: dict[str, Any]) -> None:
    client = CLIENTS[form["client"]]
    version_id = demo_id(f"version {key}")
    settings = {
        "email_recipients": form["recipients"],
        "ctm_enabled": form["ctm"],
        "ctm_conversion_action_id": client.reactor if form["ctm"] else None,
        "ctm_five_star_enabled": form.get("five_star", False),
        "custom_thank_you_message": f"Thank you. {client.business} will be in touch.",
    }
    await connection.execute(
        """
        insert into forms (id, name, form_type, status, settings_json, embed_token, client_id)
        values ($1, $2, $3, 'published', $4, $5, $6) on conflict do nothing
        """,
        form_id(key), form["name"], form["type"], settings, form_id(key).hex * 2, client.id,
    )  # fmt: skip
    await connection.execute(
        """
        insert into form_versions (id, form_id, version_number, react_code, css_code, schema_json, published_at)
        values ($1, $2, 1, '', null, $3, now()) on conflict do nothing
        """,
        version_id, form_id(key), {"runtime_mode": "react", "fields": form["fields"]},
    )  # fmt: skip
    await connection.execute(
        """
        update forms set active_version_id = coalesce(active_version_id, $2),
            published_version_id = coalesce(published_version_id, $2) where id = $1
        """,
        form_id(key), version_id,
    )  # fmt: skip


def open_accounts(ctm: Ctm) -> None:
    """Open the clients' accounts at the CTM stand-in, whose memory does not outlive a stop."""
    for client in CLIENTS.values():
        ctm.open_account(client.ctm_account, reactors=(client.reactor,))
