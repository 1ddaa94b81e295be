from typing import Any

from shared.runtime import Call, endpoint


@endpoint
async def emails_probe_mailgun(call: Call) -> dict[str, Any]:
    """Tell staff that the webhook's address answers and has its key. Spec api-accounts EM6."""
    await call.services.secrets.get("MAILGUN_WEBHOOK_SIGNING_KEY")
    return {"status": "ok", "message": "The Mailgun webhook is ready.", "signing_key_configured": True}
