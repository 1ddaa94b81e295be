"""What Mailgun tells us, and whether it is Mailgun."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.integrations.mailgun.webhook import MAX_AGE_S, BadProof, parse, verify

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEY = b"signing-key"


def signed(age_s: int = 0, token: str = "t" * 50, key: bytes = KEY) -> dict[str, str]:
    timestamp = str(int(NOW.timestamp()) - age_s)
    right = hmac.new(key, f"{timestamp}{token}".encode(), hashlib.sha256).hexdigest()
    return {"timestamp": timestamp, "token": token, "signature": right}


@pytest.mark.parametrize("age_s", [0, 60, 8 * 3600, -200])
def test_a_genuine_post_gives_its_token(age_s: int) -> None:
    """Also one that Mailgun repeats for eight hours."""
    assert verify(signed(age_s), KEY, now=NOW) == "t" * 50


@pytest.mark.parametrize(
    "signature",
    [
        None,
        [],
        {},
        signed(key=b"other"),
        signed() | {"token": "u" * 50},
        signed() | {"timestamp": "1"},
        signed() | {"signature": ""},
        signed() | {"signature": "é"},
        signed() | {"timestamp": "soon"},
        signed(MAX_AGE_S + 1),
        signed(-3600),
    ],
)
def test_anything_else_is_refused_for_good(signature: object) -> None:
    """406, so that Mailgun does not repeat it."""
    with pytest.raises(BadProof) as caught:
        verify(signature, KEY, now=NOW)
    assert caught.value.status == 406


def test_without_a_key_nothing_is_genuine() -> None:
    """A missing setting must not open the door."""
    with pytest.raises(BadProof):
        verify(signed(key=b""), b"", now=NOW)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)


@given(json_values)
def test_no_signature_breaks_the_check(signature: object) -> None:
    """It refuses, and does not fall over."""
    for one in (signature, signed() | {"signature": signature}, signed() | {"token": signature}):
        with pytest.raises(BadProof):
            verify(one, KEY, now=NOW)


def test_a_bounce_in_full() -> None:
    """Mailgun's words in our normal form: nothing but the listed details."""
    event = parse(
        {
            "id": "ev1",
            "event": "failed",
            "severity": "permanent",
            "timestamp": 1772366400.25,
            "recipient": "ada@example.com",
            "reason": "bounce",
            "delivery-status": {
                "code": 550,
                "message": "No such user",
                "mx-host": "mx.test",
                "tls": True,
                "secret": "x",
            },
            "envelope": {"transport": "smtp", "sending-ip": "1.2.3.4", "other": "x"},
            "flags": {"is-routed": False, "text": "x"},
            "message": {"headers": {"message-id": "m1@mail.test", "subject": "private"}},
            "user-variables": {"log": "7"},
        },
        now=NOW,
    )
    assert (event.event_id, event.kind, event.message_id) == ("ev1", "failed_permanent", "<m1@mail.test>")
    assert (event.code, event.reason, event.variables) == ("550", "No such user", {"log": "7"})
    assert event.occurred_at == datetime(2026, 3, 1, 12, 0, 0, 250_000, UTC)
    assert event.details_json() == {
        "code": "550",
        "reason": "No such user",
        "message": "No such user",
        "mx_host": "mx.test",
        "tls": True,
        "severity": "permanent",
        "envelope": {"transport": "smtp", "sending_ip": "1.2.3.4"},
        "flags": {"is-routed": False},
    }


@pytest.mark.parametrize(
    ("event", "severity", "kind"),
    [
        ("failed", "permanent", "failed_permanent"),
        ("failed", "temporary", "failed_temporary"),
        ("failed", None, "failed_temporary"),
        ("bounced", None, "failed_permanent"),
        ("bounced", "temporary", "failed_temporary"),
        ("dropped", None, "failed_permanent"),
        ("delivered", None, "delivered"),
        ("unsubscribed", None, "unsubscribed"),
        ("stored", None, "other"),
        (None, None, "other"),
    ],
)
def test_kinds(event: object, severity: str | None, kind: str) -> None:
    """Today's words and yesterday's; an unknown event is kept as other."""
    assert parse({"event": event, "severity": severity}, now=NOW).kind == kind


@pytest.mark.parametrize("code", ["undefined", "", None, True])
def test_a_code_that_means_nothing_is_none(code: object) -> None:
    """The reason stands in, if there is one."""
    data = {"event": "failed", "delivery-status": {"code": code}}
    assert parse(data, now=NOW).code is None
    assert parse(data | {"reason": "bounce"}, now=NOW).code == "bounce"


def test_a_click_says_where() -> None:
    """Who reads, where, and which link."""
    data = {
        "event": "clicked",
        "url": "https://a.test/",
        "ip": "1.2.3.4",
        "geolocation": {"city": "Bern", "country": "CH"},
        "client-info": {"device-type": "mobile", "client-os": "iOS"},
    }
    assert parse(data, now=NOW).details == {
        "clicked_url": "https://a.test/",
        "ip": "1.2.3.4",
        "geolocation": {"city": "Bern", "country": "CH"},
        "client_info": {"device_type": "mobile", "client_os": "iOS"},
        "device_type": "mobile",
    }


PARTS = (
    "id",
    "event",
    "timestamp",
    "severity",
    "delivery-status",
    "envelope",
    "flags",
    "message",
    "client-info",
    "ip",
    "url",
)
EVENTS = st.sampled_from(["failed", "delivered", "opened", "clicked", "complained", "accepted", "x"])


@given(st.dictionaries(st.sampled_from(PARTS), json_values), EVENTS, json_values)
def test_every_event_can_be_kept(data: dict[str, Any], name: str, inner: object) -> None:
    """Whatever Mailgun sends is parsed, is the same each time, and is JSON that PostgreSQL takes."""
    for one in (data, data | {"event": name}, {"event": name, "delivery-status": {"code": inner, "message": inner}}):
        event = parse(one, now=NOW)
        assert event == parse(one, now=NOW)
        kept = [event.event_id, event.message_id, event.code, event.reason, event.details_json()]
        stored = json.dumps(kept, allow_nan=False, ensure_ascii=False)
        assert "\\u0000" not in stored
        stored.encode()  # half a surrogate pair could not be
        assert event.event_id and event.occurred_at.tzinfo is UTC
