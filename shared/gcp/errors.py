"""What Google's error classes mean for us."""

from __future__ import annotations

from shared.errors import Reconnect, Rejected, TryLater, VendorError


def meaning(service: str, error: Exception) -> VendorError:
    """TryLater, unless the class says that the same call can never work (Rejected) or not as us (Reconnect)."""
    from google.api_core import exceptions

    status = int(getattr(error, "code", 0) or 0) or None
    if isinstance(error, (exceptions.PermissionDenied, exceptions.Unauthenticated)):
        return Reconnect(service, status=status)
    if isinstance(error, (exceptions.InvalidArgument, exceptions.NotFound, exceptions.FailedPrecondition)):
        return Rejected(service, status=status)
    return TryLater(service, status=status)
