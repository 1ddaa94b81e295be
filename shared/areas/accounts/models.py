"""What goes over the wire. Field names are the dashboard's; shapes are those of spec api-accounts §1 and §2."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, PlainSerializer, StringConstraints

from shared.areas.accounts.rules import Method, Reason, clean_code


def _instant(moment: datetime) -> str:
    return f"{moment.astimezone(UTC).isoformat(timespec='milliseconds')[:-6]}Z"


def _email(text: str) -> str:
    """An address good enough to send a mail to; anything finer only its owner's answer can tell."""
    local, at, domain = text.strip().lower().rpartition("@")
    if not at or not local or "." not in domain.strip(".") or any(c.isspace() or c in '<>",;' for c in text.strip()):
        raise ValueError("must be an e-mail address")
    return f"{local}@{domain}"


def _trimmed(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else value


def _no_nul(text: str) -> str:
    if "\x00" in text:
        raise ValueError("must not hold a NUL character")
    return text


Instant = Annotated[datetime, PlainSerializer(_instant, return_type=str)]
Text = Annotated[str, AfterValidator(_no_nul)]
Email = Annotated[Text, Field(max_length=254), AfterValidator(_email)]
Password = Annotated[Text, Field(min_length=1, max_length=1024)]
Name = Annotated[
    Text, BeforeValidator(_trimmed), StringConstraints(min_length=1, max_length=60, pattern=r"^[^<>\r\n]*$")
]
Code = Annotated[Text, Field(max_length=40), AfterValidator(clean_code), Field(min_length=6)]
LinkToken = Annotated[Text, Field(min_length=10, max_length=256)]


# --- requests ---------------------------------------------------------------------------------------------------------


class DeviceTold(BaseModel):
    """What a caller without cookies may tell of its device."""

    deviceId: UUID | None = None
    deviceFingerprint: Annotated[Text, Field(max_length=128)] | None = None


class SignIn(DeviceTold):
    email: Email
    password: Password
    trustDevice: bool = False


class VerifyMfa(DeviceTold):
    challengeId: UUID
    code: Code
    trustDevice: bool = False


class ResendMfa(BaseModel):
    challengeId: UUID


class Register(BaseModel):
    firstName: Name
    lastName: Name
    email: Email
    password: Password


class EmailOnly(BaseModel):
    email: Email


class ResetPassword(BaseModel):
    token: LinkToken
    password: Password


class VerifyEmailQuery(BaseModel):
    token: str = ""


class StartOAuthQuery(BaseModel):
    returnTo: str | None = None


class FinishOAuthQuery(BaseModel):
    code: str = ""
    state: str = ""
    error: str = ""


class SignOutEverywhere(BaseModel):
    keepCurrent: bool = False


class Impersonate(BaseModel):
    user_id: UUID | None = None


class Proof(BaseModel):
    """That the person in front of the screen is the account's owner: their password, where the account has one."""

    password: Annotated[Text, Field(max_length=1024)] = ""


class ConfirmTotp(BaseModel):
    code: Code


class ChangeMfa(Proof):
    requireMfaAlways: bool | None = None
    emailOtpEnabled: bool | None = None
    preferredMethod: Literal["email", "totp"] | None = None


class MailLink(BaseModel):
    """Work of ``accounts_mail_link``: whoever owns the address, if anybody does, gets a link."""

    kind: Literal["password_reset", "email_verification"]
    email: str


# --- answers ----------------------------------------------------------------------------------------------------------


class SessionUser(BaseModel):
    """A user as every part of the dashboard expects one: both spellings of the effective role, and the dates it
    routes by."""

    id: UUID
    email: str
    first_name: str
    last_name: str
    role: str
    effectiveRole: str
    effective_role: str
    avatar_url: str | None
    onboarding_completed_at: Instant | None
    activated_at: Instant | None
    created_at: Instant


class Session(BaseModel):
    """Signed in: the access token goes into ``Authorization``, for ``expiresIn`` seconds."""

    user: SessionUser
    accessToken: str
    expiresIn: int
    impersonator: UUID | None = None


class Refreshed(BaseModel):
    user: SessionUser
    accessToken: str
    expiresIn: int


class MfaChallenge(BaseModel):
    """A code is needed. It went to ``maskedEmail``, or (``totp``) is shown by the person's authenticator app."""

    requiresMfa: Literal[True] = True
    mfaType: Method
    challengeId: UUID
    maskedEmail: str
    expiresAt: Instant
    reason: Reason
    code: Literal["MFA_REQUIRED"] = "MFA_REQUIRED"


class Resent(BaseModel):
    message: str
    expiresAt: Instant


class Message(BaseModel):
    message: str


class Registered(BaseModel):
    message: str
    email: str


class PasswordSet(BaseModel):
    message: str
    user: SessionUser


class Me(BaseModel):
    user: SessionUser
    effectiveRole: str
    impersonator: UUID | None


class MfaSettings(BaseModel):
    userId: UUID
    emailOtpEnabled: bool
    totpEnabled: bool
    webauthnEnabled: bool
    preferredMethod: str
    requireMfaAlways: bool
    hasAnyMfaEnabled: bool
    backupCodesLeft: int


class TotpOffer(BaseModel):
    """What an authenticator app needs: the secret (base32), and the same as an address for a QR code."""

    secret: str
    otpauthUrl: str


class BackupCodes(Session):
    """Codes for the day the phone is lost, told once; and a new session, since a change of MFA ends all others."""

    backupCodes: list[str]


class PasswordRules(BaseModel):
    minLength: int
    requireUppercase: bool = True
    requireLowercase: bool = True
    requireNumber: bool = True
    requireSpecial: bool = True
    description: str
