"""Every error that has a meaning across layers.

    Problem                what the caller of an endpoint did, or may not do: becomes the HTTP answer
    ├── Invalid            400  one or more named fields are wrong
    ├── Unauthorized       401  nobody is signed in
    ├── Forbidden          403  signed in, but not allowed
    ├── NotFound           404  not there, or somebody else's
    ├── Conflict           409
    ├── TooLarge           413
    └── TooManyRequests    429  with the seconds to wait
    VendorError            what an outside service did: says what to do next
    ├── TryLater           the same call may work later: the queue's back-off decides
    ├── Reconnect          a person must act (credentials refused or withdrawn)
    └── Rejected           our request is wrong for the vendor: repeating it is useless
    KeyUnknown             something is sealed with a key that this instance has not read yet
    Park                   this piece of work can never succeed: keep it, with its reason, for a person

No error carries a vendor's body, a secret, or a person's data: messages reach logs and browsers.
"""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import isnan


class Problem(Exception):
    """An HTTP answer in the one error shape: ``{"message", "code", …extra}``."""

    status = 400
    code = "BAD_REQUEST"

    def __init__(self, message: str, *, code: str | None = None, **extra: object):
        super().__init__(message)
        self.message = message
        self.code = code or self.code
        self.extra = extra


class Invalid(Problem):
    """400: ``errors`` lists ``{"field", "message"}`` for each field that is wrong."""

    code = "VALIDATION_ERROR"

    def __init__(self, message: str, *, code: str | None = None, errors: list[dict[str, str]] | None = None):
        super().__init__(message, code=code)
        if errors:
            self.extra["errors"] = errors

    @classmethod
    def field(cls, name: str, message: str) -> Invalid:
        """One wrong field, named both in the message and in ``errors``."""
        return cls(f"{name}: {message}", errors=[{"field": name, "message": message}])


class Unauthorized(Problem):
    status, code = 401, "TOKEN_EXPIRED_OR_INVALID"


class Forbidden(Problem):
    status, code = 403, "FORBIDDEN"


class NotFound(Problem):
    status, code = 404, "NOT_FOUND"


class Conflict(Problem):
    status, code = 409, "CONFLICT"


class TooLarge(Problem):
    status, code = 413, "TOO_LARGE"


class TooManyRequests(Problem):
    status, code = 429, "TOO_MANY_REQUESTS"

    def __init__(self, message: str, *, retry_after_s: int, code: str | None = None):
        super().__init__(message, code=code, retryAfter=retry_after_s)
        self.retry_after_s = retry_after_s


class VendorError(Exception):
    """A failure at an outside service. Carries its name and HTTP status, never its body."""

    def __init__(self, vendor: str, *, status: int | None = None, reason: str = "", retry_after_s: float | None = None):
        self.vendor = vendor
        self.status = status
        self.reason = reason
        self.retry_after_s = retry_after_s
        words = [vendor, str(status) if status else "", reason]
        super().__init__(" ".join(word for word in words if word))


class TryLater(VendorError):
    """Not now: unreachable, overloaded, or rationing us."""


class Reconnect(VendorError):
    """The vendor refuses our credentials; retrying cannot help until a person renews them."""


class Rejected(VendorError):
    """The vendor understood and refused: our request is wrong."""


class KeyUnknown(Exception):
    """Something is sealed with a key that this instance has not read yet: after renewing its key ring, try again."""


class Park(Exception):
    """Work that cannot be done, now or later. It is stored with this reason and answered 2xx."""


_A_DAY_S = 86_400.0

# HTTP status of a vendor's answer → what it means for us. Anything else: 5xx TryLater, 4xx Rejected.
_MEANING: dict[int, type[VendorError]] = {401: Reconnect, 403: Reconnect, 408: TryLater, 425: TryLater, 429: TryLater}


def vendor_error(vendor: str, status: int, *, retry_after: str | None = None) -> VendorError:
    """The error for a vendor's unsuccessful HTTP status; ``retry_after`` is its header, seconds or a date."""
    kind = _MEANING.get(status, TryLater if status >= 500 else Rejected)
    return kind(vendor, status=status, retry_after_s=_wait_s(retry_after or ""))


def _wait_s(retry_after: str) -> float | None:
    """Source: RFC 9110 §10.2.3. None for what cannot be read; a day is the longest wait that is believed."""
    try:
        wait = float(retry_after)
    except ValueError:
        try:
            then = parsedate_to_datetime(retry_after)
        except ValueError:
            return None
        wait = (then.replace(tzinfo=then.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
    return None if isnan(wait) else min(max(wait, 0.0), _A_DAY_S)
