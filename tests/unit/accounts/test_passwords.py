"""The password policy, and hashes old and new."""

from __future__ import annotations

import asyncio
import string
import time

import bcrypt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.areas.accounts import passwords

GOOD = st.from_regex(r"[A-Z][a-z][0-9][!-/][A-Z][!-/][a-z][0-9][A-Z][!-/][0-9][a-z]", fullmatch=True)


def weak(password: str, **about: object) -> list[str]:
    return passwords.weaknesses(password, shortest=12, **about)  # type: ignore[arg-type]


@given(password=GOOD)
def test_a_mixed_password_passes(password: str) -> None:
    """Twelve mixed characters without runs are good enough."""
    assert weak(password) == []


@given(password=GOOD, at=st.integers(0, 12), length=st.integers(4, 6), start=st.integers(0, 30), back=st.booleans())
def test_a_run_anywhere_fails(password: str, at: int, length: int, start: int, back: bool) -> None:
    """Four in a row of the digits, the alphabet or a keyboard row, either way, are found wherever they stand."""
    for row in ("0123456789", string.ascii_lowercase, "qwertyuiop", "asdfghjkl", "zxcvbnm"):
        first = start % (len(row) - 3)
        run = row[first : first + length]
        run = run[::-1] if back else run
        assert weak(password[:at] + run + password[at:])
        assert weak(password[:at] + run.upper() + password[at:])


@given(password=GOOD, at=st.integers(0, 12), letter=st.sampled_from(string.ascii_letters + string.digits))
def test_four_of_the_same_fail(password: str, at: int, letter: str) -> None:
    """A character four times in a row is found wherever it stands."""
    assert "Do not repeat a character four times." in weak(password[:at] + letter * 4 + password[at:])


@given(password=st.text(max_size=140))
def test_whatever_passes_keeps_every_rule(password: str) -> None:
    """The policy never raises; what it passes has the length and the four kinds of character."""
    if weak(password) == []:
        assert 12 <= len(password) <= 128
        kinds = (str.isupper, str.islower, lambda c: c in string.digits, lambda c: c in string.punctuation)
        assert all(any(kind(c) for c in password) for kind in kinds)


@pytest.mark.parametrize(
    ("password", "about"),
    [
        ("Kx7!quokka-Zz", {"email": "quokka@zoo.test"}),
        ("Kx7!Robin-Zz92", {"names": ("Robin", "Sample")}),
        ("Password2026!!", {}),
        ("Letmein-99-!!", {}),
        ("short-A1", {}),
    ],
)
def test_guessable_passwords_fail(password: str, about: dict[str, object]) -> None:
    """One's address or name, a common word with decoration, or too few characters."""
    assert weak(password, **about)


def test_short_names_and_addresses_do_not_count() -> None:
    """A two-letter name or a three-letter mailbox is in too many good passwords."""
    assert weak("Kx7!al-Zz92-boQ", email="al@zoo.test", names=("Bo", "")) == []


async def test_a_hash_is_argon2id_of_the_agreed_cost() -> None:
    """64 MiB, three passes, four lanes; right and wrong are told apart; cheaper hashes are outdated."""
    from argon2 import PasswordHasher

    stored = await passwords.make_hash("Some-Password-1")
    assert stored.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert await passwords.check("Some-Password-1", stored) == passwords.Checked(True, outdated=False)
    assert not (await passwords.check("some-password-1", stored)).right
    cheap = PasswordHasher(time_cost=1, memory_cost=8192).hash("x")
    assert await passwords.check("x", cheap) == passwords.Checked(True, outdated=True)


@given(password=st.text(min_size=1, max_size=100).filter(lambda text: "\x00" not in text))
def test_bcrypt_hashes_are_read_as_they_were_made(password: str) -> None:
    """Any password of the old server, also beyond the 72 bytes that bcrypt reads, is accepted and outdated."""
    stored = bcrypt.hashpw(password.encode()[:72], bcrypt.gensalt(4)).decode()
    assert passwords._check_bcrypt(password, stored) == passwords.Checked(True, outdated=True)
    assert not passwords._check_bcrypt("x" + password, stored).right


async def test_a_broken_hash_is_a_wrong_password() -> None:
    """Whatever stands in the column, nobody signs in by it and nothing crashes."""
    for stored in ("", "plain", "$2b$nonsense", "$argon2id$v=19$nonsense"):
        assert not (await passwords.check("plain", stored)).right


async def test_an_unknown_account_costs_as_much_as_a_wrong_password() -> None:
    """The processor times of both lie within a third of each other (the clock's would tell of the machine's load)."""
    stored = await passwords.make_hash("Some-Password-1")

    async def median(hash_: str | None) -> float:
        times = []
        for _ in range(5):
            started = time.process_time()
            await passwords.check("Wrong-Password-1", hash_)
            times.append(time.process_time() - started)
        return sorted(times)[2]

    known, unknown = await median(stored), await median(None)
    assert 0.66 < known / unknown < 1.5


async def test_hashing_does_not_hold_up_the_event_loop() -> None:
    """While a password is hashed, the loop goes on."""
    hashing = asyncio.ensure_future(passwords.make_hash("Some-Password-1"))
    turns = 0
    while not hashing.done():
        await asyncio.sleep(0.001)
        turns += 1
    await hashing
    assert turns > 5
