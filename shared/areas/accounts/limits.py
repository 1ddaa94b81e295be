"""How often somebody may fail: counts of attempts per address, e-mail and account, with a block when they run out.

An attempt is counted before it is made and given back when it succeeds, so that a hundred attempts at the same instant
are a hundred attempts. Subjects are stored as keyed hashes; accounts that do not exist are counted like those that do,
so that no answer tells which. Source: spec api-accounts §2 rules.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.areas.accounts.rules import code_hash, limit_subject
from shared.config import Settings
from shared.db.database import Executor
from shared.errors import Problem, TooManyRequests


@dataclass(frozen=True, slots=True)
class Limit:
    """``attempts`` within ``window``, then none for ``block``. ``kind`` names it in the table."""

    kind: str
    attempts: int
    window: timedelta
    block: timedelta


LOGIN_IP = Limit("login_ip", 10, timedelta(minutes=15), timedelta(minutes=15))
LOGIN_EMAIL = Limit("login_user", 5, timedelta(minutes=15), timedelta(minutes=30))
MFA_USER = Limit("mfa_user", 5, timedelta(minutes=10), timedelta(minutes=30))
MFA_MAILS = Limit("mfa_mails", 10, timedelta(hours=1), timedelta(minutes=30))
LINK_IP = Limit("password_reset_ip", 5, timedelta(hours=1), timedelta(hours=1))
LINK_EMAIL = Limit("link_email", 3, timedelta(hours=1), timedelta(hours=1))
REGISTER_IP = Limit("register_ip", 5, timedelta(hours=1), timedelta(hours=1))
REGISTER_EMAIL = Limit("register_email", 3, timedelta(hours=1), timedelta(hours=1))
TOKEN_IP = Limit("token_ip", 30, timedelta(minutes=15), timedelta(minutes=15))
PROOF_USER = Limit("proof_user", 5, timedelta(minutes=15), timedelta(minutes=30))


def account_lock(settings: Settings) -> Limit:
    """The lock of an account after failures in a row; a day without one ends the row."""
    block = timedelta(minutes=settings.account_lockout_minutes)
    return Limit("login_account", settings.max_login_failures, timedelta(days=1), block)


@dataclass(frozen=True, slots=True)
class Subject:
    """One limit of one subject, hashed."""

    limit: Limit
    key: str


@dataclass(frozen=True, slots=True)
class Count:
    """What an attempt did to a subject's count. ``wait_s`` is 0 when the attempt may be made."""

    attempts: int
    wait_s: int
    locked_until: datetime | None


class Counter:
    """Counts for one instance's secret key."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def ip(self, limit: Limit, ip: str) -> Subject:
        return self.of(limit, limit_subject(ip))

    def of(self, limit: Limit, subject: object) -> Subject:
        return Subject(limit, code_hash(self._key, limit.kind, str(subject).strip().lower())[:32])


_TAKE = """
with given as (
    select key, kind, most, span, block, $6::timestamptz as now
    from unnest($1::text[], $2::text[], $3::int[], $4::interval[], $5::interval[]) as g (key, kind, most, span, block)
)
insert into auth_rate_limits as l (limit_key, limit_type, attempts, first_attempt_at, last_attempt_at, locked_until)
select key, kind, 1, now, now, case when most <= 1 then now + block end from given order by kind, key
on conflict (limit_key, limit_type) do update
set (attempts, first_attempt_at, last_attempt_at, locked_until) = (
    select count, case when over then g.now else l.first_attempt_at end, g.now,
           case when l.locked_until > g.now then l.locked_until when count >= g.most then g.now + g.block end
    from given g,
         lateral (select coalesce(l.locked_until, l.first_attempt_at + g.span) <= g.now as over) age,
         lateral (select case when over then 1 else l.attempts + 1 end as count) counted
    where g.key = l.limit_key and g.kind = l.limit_type
)
returning limit_type, attempts, locked_until
"""


async def take(db: Executor, now: datetime, *subjects: Subject) -> dict[str, Count]:
    """Count one attempt for each subject; the counts by kind.

    The attempt that uses up a limit may still be made, and blocks those after it.
    """
    rows = await db.fetch(
        _TAKE,
        [subject.key for subject in subjects],
        [subject.limit.kind for subject in subjects],
        [subject.limit.attempts for subject in subjects],
        [subject.limit.window for subject in subjects],
        [subject.limit.block for subject in subjects],
        now,
    )
    most = {subject.limit.kind: subject.limit.attempts for subject in subjects}
    return {
        row["limit_type"]: _count(row["attempts"], row["locked_until"], most[row["limit_type"]], now) for row in rows
    }


def _count(attempts: int, locked_until: datetime | None, most: int, now: datetime) -> Count:
    refused = attempts > most and locked_until is not None
    wait = max(1, round((locked_until - now).total_seconds())) if refused and locked_until else 0
    return Count(attempts, wait, locked_until)


# Everybody locks the rows of several subjects in the order of ``take``, so that no two sign-ins wait in a circle.
_HELD = """
with held as (
    select l.id, g.most
    from unnest($1::text[], $2::text[], $3::int[]) as g (key, kind, most)
    join auth_rate_limits l on l.limit_key = g.key and l.limit_type = g.kind
    order by l.limit_type, l.limit_key for update of l
)"""


async def give_back(db: Executor, *subjects: Subject) -> None:
    """Uncount one attempt of each subject: it was none, or it succeeded. A block that it caused ends."""
    await db.execute(
        f"""{_HELD}
        update auth_rate_limits l set
            attempts = greatest(l.attempts - 1, 0),
            locked_until = case when l.attempts - 1 >= held.most then l.locked_until end
        from held where l.id = held.id
        """,  # noqa: S608
        [subject.key for subject in subjects],
        [subject.limit.kind for subject in subjects],
        [subject.limit.attempts for subject in subjects],
    )


async def forget(db: Executor, *subjects: Subject) -> None:
    """Start each subject anew: it has proven itself."""
    await db.execute(
        f"{_HELD} delete from auth_rate_limits l using held where l.id = held.id",  # noqa: S608
        [subject.key for subject in subjects],
        [subject.limit.kind for subject in subjects],
        [subject.limit.attempts for subject in subjects],
    )


class AccountLocked(Problem):
    """423: too many failures in a row for this address, whether or not it has an account."""

    status, code = 423, "ACCOUNT_LOCKED"

    def __init__(self, wait_s: int) -> None:
        minutes = max(1, -(-wait_s // 60))
        super().__init__(
            f"Too many failed attempts. Sign-in is locked for this address; try again in {minutes} minutes.",
            retryAfter=wait_s,
        )


async def admit(db: Executor, now: datetime, *subjects: Subject) -> dict[str, Count]:
    """Count an attempt that may be made, else raise TooManyRequests (AccountLocked for an account's lock).

    A refused attempt counts against nothing but what refuses it.
    """
    counts = await take(db, now, *subjects)
    refusing = [subject for subject in subjects if counts[subject.limit.kind].wait_s]
    if not refusing:
        return counts
    spared = [subject for subject in subjects if subject not in refusing]
    if spared:
        await give_back(db, *spared)
    wait_s = counts[refusing[0].limit.kind].wait_s
    if refusing[0].limit.kind == "login_account":
        raise AccountLocked(wait_s)
    raise TooManyRequests(
        "Too many attempts; please wait and try again.", retry_after_s=wait_s, code="RATE_LIMIT_EXCEEDED"
    )
