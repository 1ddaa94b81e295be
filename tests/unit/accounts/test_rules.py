"""The rules of sign-in hold for any time, code, address and history."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pyotp
from hypothesis import assume, given
from hypothesis import strategies as st

from shared import tokens
from shared.areas.accounts import rules
from shared.areas.accounts.rules import Signs

KEY = "k" * 40
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))
ROLES = st.sampled_from(["client", "team", "admin", "superadmin", "editor"])


# --- access tokens ----------------------------------------------------------------------------------------------------


def _token(now: datetime, lifetime: timedelta, key: str = KEY) -> tuple[str, object, object]:
    user_id, session_id = uuid4(), uuid4()
    token = tokens.sign(
        key, user_id=user_id, session_id=session_id, role="client", effective_role="client", lifetime=lifetime, now=now
    )
    return token, user_id, session_id


@given(now=MOMENTS, seconds=st.integers(1, 10**6), later=st.integers(-(10**6), 10**6))
def test_a_token_tells_whose_it_is_and_expires_to_the_second(now: datetime, seconds: int, later: int) -> None:
    """A token is good until its lifetime is over, counted from the second it was made in."""
    now = now.replace(microsecond=0)
    token, user_id, session_id = _token(now, timedelta(seconds=seconds))
    claims = tokens.read(token, KEY, now=now + timedelta(seconds=later))
    assert claims is not None
    assert (claims.user_id, claims.session_id) == (user_id, session_id)
    assert claims.expired is (later >= seconds)


@given(position=st.integers(0, 10**4), letter=st.sampled_from("AZaz09-_."))
def test_a_changed_token_is_none(position: int, letter: str) -> None:
    """Any changed character makes it worthless, and so does another key."""
    now = datetime(2026, 1, 1, tzinfo=UTC)
    token, *_ = _token(now, timedelta(minutes=15))
    head, _, signature = token.rpartition(".")
    place = position % len(head)
    assume(head[place] != letter)
    assert tokens.read(f"{head[:place]}{letter}{head[place + 1 :]}.{signature}", KEY, now=now) is None
    assert tokens.read(token, "another" + KEY, now=now) is None


@given(text=st.text(max_size=200))
def test_nonsense_is_no_token(text: str) -> None:
    """Reading a token never raises."""
    assert tokens.read(text, KEY, now=datetime(2026, 1, 1, tzinfo=UTC)) is None


def test_tokens_of_other_kinds_are_none() -> None:
    """Signed by us, but unsigned algorithms, other types and missing claims are no access tokens."""
    import jwt

    now = datetime.now(UTC)
    good = {"sub": str(uuid4()), "sid": str(uuid4()), "type": "access", "exp": now + timedelta(minutes=1)}
    for bad in ({"type": "refresh"}, {"sub": "me"}, {"sid": None}, {"exp": None}):
        claims = {name: value for name, value in {**good, **bad}.items() if value is not None}
        assert tokens.read(jwt.encode(claims, KEY, algorithm="HS256"), KEY, now=now) is None
    assert tokens.read(jwt.encode(good, None, algorithm="none"), KEY, now=now) is None
    long = KEY * 2
    assert tokens.read(jwt.encode(good, long, algorithm="HS512"), long, now=now) is None


# --- codes ------------------------------------------------------------------------------------------------------------


def test_codes_are_six_digits_and_spread_evenly() -> None:
    """Of 20,000 codes every leading digit has about its tenth."""
    codes = [rules.new_code() for _ in range(20_000)]
    assert all(re.fullmatch(r"\d{6}", code) for code in codes)
    counts = [sum(code[0] == str(digit) for code in codes) for digit in range(10)]
    assert all(1700 < count < 2300 for count in counts)


@given(code=st.from_regex(r"[0-9]{6}", fullmatch=True), other=st.from_regex(r"[0-9]{6}", fullmatch=True))
def test_a_code_is_right_for_its_challenge_and_key_alone(code: str, other: str) -> None:
    """The stored hash fits one code of one challenge under one key, and does not hold the code."""
    challenge = f"mfa:{uuid4()}"
    stored = rules.code_hash(b"key", challenge, code)
    assert code not in stored or len(stored) == 64
    assert rules.same(rules.code_hash(b"key", challenge, code), stored)
    assert rules.same(rules.code_hash(b"key", challenge, other), stored) is (code == other)
    assert not rules.same(rules.code_hash(b"key", f"mfa:{uuid4()}", code), stored)
    assert not rules.same(rules.code_hash(b"yek", challenge, code), stored)


@given(code=st.from_regex(r"[0-9]{6}", fullmatch=True), gaps=st.lists(st.sampled_from([" ", "-", "\t", "\u00a0"])))
def test_a_code_may_be_typed_with_spaces(code: str, gaps: list[str]) -> None:
    """Spaces and dashes anywhere do not matter."""
    assert rules.clean_code("".join(gaps) + code[:3] + "".join(gaps) + code[3:]) == code


def test_backup_codes_are_distinct_and_survive_cleaning() -> None:
    """Ten codes, which typed in any way are themselves."""
    codes = rules.new_backup_codes()
    assert len(set(codes)) == 10
    assert all(rules.clean_code(code.upper()) == code.replace("-", "") for code in codes)


@given(now=MOMENTS, shift=st.integers(-90, 90))
def test_an_apps_code_is_good_for_its_step_and_the_two_beside_it(now: datetime, shift: int) -> None:
    """A code of a clock up to one step off is taken, a used step and any older one is not."""
    secret = pyotp.random_base32()
    shown = now + timedelta(seconds=shift)
    code = pyotp.TOTP(secret).generate_otp(rules.totp_step(shown))
    apart = abs(rules.totp_step(shown) - rules.totp_step(now))
    step = rules.matching_step(secret, code, now, None)
    if apart <= 1:
        assert step is not None
        assert rules.matching_step(secret, code, now, step) in (None, *range(step + 1, step + 3))
    elif step is not None:  # two of three steps may by chance show the same six digits
        assert pyotp.TOTP(secret).generate_otp(step) == code


# --- whether a code is needed -----------------------------------------------------------------------------------------

SIGNS = st.builds(
    Signs,
    always=st.booleans(),
    trusted=st.booleans(),
    same_fingerprint=st.booleans(),
    known_device=st.booleans(),
    known_network=st.booleans(),
    failures=st.integers(0, 10),
    last_activity_at=st.none() | MOMENTS,
)


@given(signs=SIGNS, now=MOMENTS)
def test_only_an_unsuspicious_trusted_device_is_spared(signs: Signs, now: datetime) -> None:
    """No code only for a trusted device that looks the same, in recent use, without guessing from elsewhere."""
    month = timedelta(days=30)
    reason = rules.reason_for_code(signs, now=now, inactivity=month)
    recent = signs.last_activity_at is not None and now - signs.last_activity_at <= month
    calm = signs.known_network or signs.failures < 3
    spared = not signs.always and signs.trusted and signs.same_fingerprint and recent and calm
    assert (reason is None) is spared


# --- addresses, devices, roles ----------------------------------------------------------------------------------------


@given(
    local=st.from_regex(r"[a-z0-9._]{1,20}", fullmatch=True),
    domain=st.from_regex(r"[a-z]{2,9}\.[a-z]{2,3}", fullmatch=True),
)
def test_a_masked_address_tells_little(local: str, domain: str) -> None:
    """At most the ends of the local part and one letter of the domain."""
    masked = rules.mask_email(f"{local}@{domain}")
    shown = re.sub(r"[*@.]", "", masked)
    assert len(shown) <= 3
    if len(local) > 2:
        assert masked.startswith(local[0]) and masked.partition("@")[0].endswith(local[-1])


@given(
    text=st.text(max_size=60) | st.sampled_from(["//evil.test", "/\\evil.test", "/a\r\nSet-Cookie: x", "/a/b?c=d#e"])
)
def test_the_way_back_never_leaves_us(text: str) -> None:
    """A return path is a path on our own host, without control characters, whatever is asked for."""
    path = rules.return_path(text)
    assert path.startswith("/") and not path.startswith(("//", "/\\"))
    assert all(31 < ord(letter) < 127 for letter in path)


@given(version=st.integers(1, 400))
def test_an_updated_browser_looks_the_same(version: int) -> None:
    """A browser's version is no part of its fingerprint; another browser or language is."""
    look = rules.fingerprint(f"Mozilla/5.0 (X11) Firefox/{version}.0", "en")
    assert look == rules.fingerprint("Mozilla/5.0 (X11) Firefox/1.0", "en")
    assert look != rules.fingerprint(f"Mozilla/5.0 (X11) Chrome/{version}.0", "en")
    assert look != rules.fingerprint(f"Mozilla/5.0 (X11) Firefox/{version}.0", "fr")


@given(admin=ROLES, target=ROLES)
def test_nobody_becomes_an_equal_or_better(admin: str, target: str) -> None:
    """Admins become team members and clients, superadmins also admins; nobody else anybody."""
    order = ["client", "team", "admin", "superadmin"]
    admin, target = rules.effective(admin), rules.effective(target)
    allowed = rules.may_impersonate(admin, target)
    assert allowed is (admin in ("admin", "superadmin") and order.index(target) < order.index(admin))


@given(address=st.ip_addresses())
def test_networks_and_limits_group_addresses(address: object) -> None:
    """An address is in its network; an IPv6 caller counts as its whole /64."""
    import ipaddress

    text = str(address).partition("%")[0]
    assert ipaddress.ip_address(text) in ipaddress.ip_network(rules.network(text))
    assert rules.limit_subject(text) in (text, rules.network(text))


def test_audit_details_lose_whatever_is_named_like_a_secret() -> None:
    """Keys that mention passwords, tokens, codes and the like are dropped."""
    given_details = {
        "reason": "x",
        "resetToken": "t",
        "Password": "p",
        "otp": "1",
        "session_cookie": "c",
        "method": "m",
    }
    assert rules.without_secrets(given_details) == {"reason": "x", "method": "m"}
