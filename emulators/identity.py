"""Identity tokens as a Cloud Run container sees them: checked by Google's front end, their signature removed."""

from __future__ import annotations

import base64
import json
import time

GATEWAY_EMAIL = "gateway@anchor-local.iam.gserviceaccount.com"


def identity_token(email: str, audience: str) -> str:
    """A token of the service account *email* for *audience*, an hour long, with Cloud Run's placeholder signature."""
    now = int(time.time())
    claims = {
        "iss": "https://accounts.google.com",
        "aud": audience,
        "azp": email,
        "sub": email,
        "email": email,
        "email_verified": True,
        "iat": now,
        "exp": now + 3600,
    }
    return ".".join(
        [_part({"alg": "RS256", "kid": "local", "typ": "JWT"}), _part(claims), "SIGNATURE_REMOVED_BY_GOOGLE"]
    )


def _part(content: dict[str, object]) -> str:
    return base64.urlsafe_b64encode(json.dumps(content, separators=(",", ":")).encode()).decode().rstrip("=")
