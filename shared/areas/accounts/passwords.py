"""Passwords: which are good enough, and their hashes (Argon2id; bcrypt of the old server is accepted and replaced).

Hashing takes a tenth of a second of processor time and 64 MiB, so it runs in a few threads of its own, never on the
event loop: while one person signs in, the instance serves the others, and its memory stays bounded.
Source: spec api-accounts §2 rules; RFC 9106.
"""

from __future__ import annotations

import asyncio
import functools
import string
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from argon2 import PasswordHasher

T = TypeVar("T")

LONGEST: Final = 128
_THREADS: Final = 2  # hashes at once in one instance: 64 MiB each
_BCRYPT_READS: Final = 72  # bytes; bcrypt never looked further

# Of a password nobody knows: an unknown address costs as much time as a wrong password.
_NOBODYS: Final = "$argon2id$v=19$m=65536,t=3,p=4$uNq01CGKCPftCl4qEQSRjg$W15H1KVUGpxryYn1UXbybMSrcRTvNoHL+mrMBoH89C0"


@dataclass(frozen=True, slots=True)
class Checked:
    """Whether the password is right, and whether its hash should be replaced."""

    right: bool
    outdated: bool = False


# --- hashing ----------------------------------------------------------------------------------------------------------


async def make_hash(password: str) -> str:
    """The Argon2id hash to store."""
    return await _in_thread(lambda: _hasher().hash(password))


async def check(password: str, stored: str | None) -> Checked:
    """Compare with a stored hash; None (no such account, or no password) takes as long and is never right."""
    if stored is None:
        await _in_thread(lambda: _check_argon2(password, _NOBODYS))
        return Checked(False)
    if stored.startswith(("$2a$", "$2b$", "$2y$")):
        return await _in_thread(lambda: _check_bcrypt(password, stored))
    return await _in_thread(lambda: _check_argon2(password, stored))


@functools.cache
def _hasher() -> PasswordHasher:
    from argon2 import PasswordHasher, Type

    return PasswordHasher(time_cost=3, memory_cost=65536, parallelism=4, hash_len=32, salt_len=16, type=Type.ID)


@functools.cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_THREADS, thread_name_prefix="hash")


async def _in_thread(work: Callable[[], T]) -> T:
    return await asyncio.get_running_loop().run_in_executor(_threads(), work)


def _check_argon2(password: str, stored: str) -> Checked:
    from argon2.exceptions import InvalidHashError, VerificationError

    try:
        _hasher().verify(stored, password)
    except (VerificationError, InvalidHashError):
        return Checked(False)
    return Checked(True, outdated=_hasher().check_needs_rehash(stored))


def _check_bcrypt(password: str, stored: str) -> Checked:
    import bcrypt

    try:
        right = bcrypt.checkpw(password.encode()[:_BCRYPT_READS], stored.encode())
    except ValueError:  # the stored text is no bcrypt hash after all
        return Checked(False)
    return Checked(right, outdated=True)


# --- policy -----------------------------------------------------------------------------------------------------------

_ROWS: Final = (
    "0123456789",
    "1234567890",
    string.ascii_lowercase,
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
)
_RUN: Final = 4
_COMMON: Final = frozenset(
    {
        *("password", "passw0rd", "p@ssword", "p@ssw0rd", "welcome", "letmein", "administrator", "changeme"),
        *("iloveyou", "trustno1", "monkey", "dragon", "football", "baseball", "sunshine", "princess", "superman"),
        *("batman", "starwars", "whatever"),
    }
)


def weaknesses(password: str, *, shortest: int, email: str = "", names: Sequence[str] = ()) -> list[str]:
    """What is wrong with a new password, one sentence each; empty when it is good enough."""
    return list(_weaknesses(password, shortest, email.partition("@")[0].lower(), names))


def _weaknesses(password: str, shortest: int, local_part: str, names: Sequence[str]) -> Iterator[str]:
    lowered = password.lower()
    if len(password) < shortest:
        yield f"Use at least {shortest} characters."
    if len(password) > LONGEST:
        yield f"Use at most {LONGEST} characters."
    for present, what in (
        (any(c.isupper() for c in password), "an upper-case letter"),
        (any(c.islower() for c in password), "a lower-case letter"),
        (any(c in string.digits for c in password), "a digit"),
        (any(c in string.punctuation for c in password), "a special character"),
    ):
        if not present:
            yield f"Use {what}."
    if lowered.strip(string.digits + string.punctuation) in _COMMON:
        yield "This password is too common."
    if len(local_part) >= 4 and local_part in lowered:
        yield "Do not use your e-mail address."
    if any(len(name.strip()) >= 3 and name.strip().lower() in lowered for name in names):
        yield "Do not use your name."
    if any(len(set(part)) == 1 for part in _parts(lowered)):
        yield "Do not repeat a character four times."
    if any(part in row or part in row[::-1] for part in _parts(lowered) for row in _ROWS):
        yield "Do not use runs such as 1234, abcd or qwer."


def _parts(text: str) -> Iterator[str]:
    return (text[start : start + _RUN] for start in range(len(text) - _RUN + 1))


def requirements(shortest: int) -> str:
    """The policy in one sentence, for the form that asks for a password."""
    return (
        f"At least {shortest} characters with an upper-case and a lower-case letter, a digit and a special character; "
        "not your name or e-mail address, no character four times in a row, no runs such as 1234."
    )
