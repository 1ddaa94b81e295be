"""Encryption of single values with a key ring, and keyed hashes. AES-256-GCM from the ``cryptography`` library.

A value is sealed for one place: its *context* (``column_context("client_profiles", "ctm_api_key", user_id)``) is
authenticated with it, so that it cannot be opened in another row or column. Old keys stay in the ring for opening;
sealing always uses the current one.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from shared.errors import KeyUnknown

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

VERSION = b"\x01"  # the layout of Sealed.data
NONCE_BYTES = 12
TAG_BYTES = 16
KEY_BYTES = 32
TEXT_PREFIX = "enc:1:"
_KEY_ID = re.compile(r"[A-Za-z0-9_.-]{1,64}")  # no colon: it ends the key id of a sealed text


class UnknownKey(KeyUnknown):
    """A value was sealed with a key that is not in the ring."""

    def __init__(self, key_id: str):
        self.key_id = key_id
        super().__init__(f"no key {key_id!r} in the ring")


class CannotOpen(Exception):
    """A value was changed, belongs to another place, or was never sealed."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """``data`` is a version byte, a 12-byte nonce, and the ciphertext with its 16-byte tag."""

    key_id: str
    data: bytes


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The keys by id; *current* seals. Made with ``parse``."""

    current: str
    _keys: dict[str, bytes] = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> KeyRing:
        """Read ``{"current": "k2", "keys": {"k1": "<base64 of 32 bytes>", "k2": …}}``.

        Raises ValueError saying what is wrong; its text never holds a part of the input but key ids.
        """
        ring = _json_object(text)
        current, keys = ring.get("current"), ring.get("keys")
        if not isinstance(keys, dict) or not keys:
            raise ValueError('key ring: "keys" must be an object with at least one key')
        if not isinstance(current, str) or current not in keys:
            raise ValueError('key ring: "current" must be the id of one of its keys')
        return cls(current, {key_id: _key(key_id, encoded) for key_id, encoded in keys.items()})

    def seal(self, plain: bytes, *, context: str) -> Sealed:
        """Encrypt *plain* for the place *context* with the current key."""
        nonce = os.urandom(NONCE_BYTES)
        cipher = self._cipher(self.current).encrypt(nonce, plain, _associated(self.current, context))
        return Sealed(self.current, VERSION + nonce + cipher)

    def open(self, sealed: Sealed, *, context: str) -> bytes:
        """Decrypt; raise UnknownKey, or CannotOpen when the value is damaged or was sealed for another place."""
        from cryptography.exceptions import InvalidTag

        cipher = self._cipher(sealed.key_id)
        if len(sealed.data) < len(VERSION) + NONCE_BYTES + TAG_BYTES or not sealed.data.startswith(VERSION):
            raise CannotOpen("not a sealed value")
        body = sealed.data[len(VERSION) :]
        try:
            return cipher.decrypt(body[:NONCE_BYTES], body[NONCE_BYTES:], _associated(sealed.key_id, context))
        except InvalidTag:
            raise CannotOpen("the value was changed or belongs to another place") from None

    def seal_text(self, text: str, *, context: str) -> str:
        """Encrypt for a text column: ``enc:1:<key id>:<base64>``."""
        sealed = self.seal(text.encode(), context=context)
        return f"{TEXT_PREFIX}{sealed.key_id}:{base64.b64encode(sealed.data).decode()}"

    def open_text(self, text: str, *, context: str) -> str:
        """Decrypt what ``seal_text`` made; a value without its prefix is an old plain one and comes back as it is."""
        if not is_sealed(text):
            return text
        key_id, _, encoded = text.removeprefix(TEXT_PREFIX).partition(":")
        try:
            data = base64.b64decode(encoded, validate=True)
        except binascii.Error:
            raise CannotOpen("not a sealed value") from None
        return self.open(Sealed(key_id, data), context=context).decode()

    def needs_rotation(self, key_id: str | None) -> bool:
        """Whether a value of this key should be sealed again: it is not of the current key, or plain (None)."""
        return key_id != self.current

    def _cipher(self, key_id: str) -> AESGCM:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        if key_id not in self._keys:
            raise UnknownKey(key_id)
        return AESGCM(self._keys[key_id])


def is_sealed(text: str) -> bool:
    """Whether a text column's value is sealed, not plain."""
    return text.startswith(TEXT_PREFIX)


def column_context(table: str, column: str, row_id: object) -> str:
    """The context of a value at rest: ``form_submissions.encrypted_payload:<row id>``."""
    return f"{table}.{column}:{row_id}"


def keyed_hash(key: bytes, text: str) -> str:
    """HMAC-SHA256 as 64 hex digits, for values too few to hide behind a plain hash: one-time codes, addresses."""
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def _associated(key_id: str, context: str) -> bytes:
    return b"%b%b:%b" % (VERSION, key_id.encode(), context.encode())


def _json_object(text: str) -> dict[str, object]:
    try:
        value = json.loads(text)
    except ValueError:
        raise ValueError("key ring: not JSON") from None  # json's own error carries the text
    if not isinstance(value, dict):
        raise ValueError("key ring: must be a JSON object")
    return value


def _key(key_id: str, encoded: object) -> bytes:
    if not _KEY_ID.fullmatch(key_id):
        raise ValueError("key ring: a key id is 1 to 64 letters, digits, dots, dashes or underscores")
    try:
        key = base64.b64decode(encoded, validate=True) if isinstance(encoded, str) else b""
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise ValueError(f"key ring: key {key_id!r} must be base64 of {KEY_BYTES} bytes")
    return key
