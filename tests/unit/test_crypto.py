"""The key ring: what is sealed comes back whole, in its own place, with a key we hold, or not at all."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.crypto import CannotOpen, KeyRing, Sealed, UnknownKey, column_context, is_sealed, keyed_hash

K1, K2 = bytes(range(32)), bytes(range(32, 64))


def ring(current: str, **keys: bytes) -> KeyRing:
    encoded = {key_id: base64.b64encode(key).decode() for key_id, key in keys.items()}
    return KeyRing.parse(json.dumps({"current": current, "keys": encoded}))


RING = ring("k2", k1=K1, k2=K2)
plains, contexts = st.binary(max_size=200), st.text(max_size=60)


@given(plain=plains, context=contexts)
def test_a_sealed_value_opens_in_its_place(plain: bytes, context: str) -> None:
    """Whatever was sealed comes back byte for byte, sealed with the current key."""
    sealed = RING.seal(plain, context=context)
    assert sealed.key_id == "k2"
    assert RING.open(sealed, context=context) == plain


@given(text=st.text(max_size=200), context=contexts)
def test_a_sealed_text_opens_in_its_place(text: str, context: str) -> None:
    """The text form survives a text column and says that it is sealed."""
    sealed = RING.seal_text(text, context=context)
    assert is_sealed(sealed) and sealed.startswith("enc:1:k2:")
    assert RING.open_text(sealed, context=context) == text


@given(plain=plains, one=contexts, other=contexts)
def test_a_value_moved_to_another_place_does_not_open(plain: bytes, one: str, other: str) -> None:
    """A value copied into another row or column is refused."""
    if one == other:
        return
    with pytest.raises(CannotOpen):
        RING.open(RING.seal(plain, context=one), context=other)


@given(plain=plains, data=st.data())
def test_a_changed_value_does_not_open(plain: bytes, data: st.DataObject) -> None:
    """One flipped bit anywhere, the version byte and the nonce included, is noticed."""
    sealed = RING.seal(plain, context="c")
    at = data.draw(st.integers(0, len(sealed.data) * 8 - 1))
    changed = bytearray(sealed.data)
    changed[at // 8] ^= 1 << at % 8
    with pytest.raises(CannotOpen):
        RING.open(Sealed("k2", bytes(changed)), context="c")


@given(rubbish=st.binary(max_size=60))
def test_rubbish_does_not_open(rubbish: bytes) -> None:
    """Bytes that were never sealed, plain JSON among them, are refused and not returned."""
    with pytest.raises(CannotOpen):
        RING.open(Sealed("k1", rubbish), context="c")


def test_a_value_relabelled_with_another_key_does_not_open() -> None:
    """The key's id belongs to the value: it cannot be exchanged, not even for the same key's other name."""
    sealed = RING.seal(b"x", context="c")
    with pytest.raises(CannotOpen):
        RING.open(Sealed("k1", sealed.data), context="c")
    with pytest.raises(CannotOpen):
        ring("other", other=K2).open(Sealed("other", sealed.data), context="c")


def test_old_keys_open_and_the_current_one_seals() -> None:
    """After a rotation old values still open, and say that they should be sealed again."""
    before = ring("k1", k1=K1)
    sealed = before.seal(b"x", context="c")
    text = before.seal_text("x", context="c")
    assert RING.open(sealed, context="c") == b"x"
    assert RING.open_text(text, context="c") == "x"
    assert RING.needs_rotation(sealed.key_id) and RING.needs_rotation(None)
    assert not RING.needs_rotation(RING.seal(b"x", context="c").key_id)


def test_a_value_of_a_lost_key_names_the_key() -> None:
    """Opening with a ring that lacks the key says which one is missing."""
    with pytest.raises(UnknownKey) as caught:
        ring("k1", k1=K1).open(RING.seal(b"x", context="c"), context="c")
    assert caught.value.key_id == "k2"


def test_the_same_value_is_never_sealed_the_same_way() -> None:
    """Equal secrets cannot be recognised by their sealed form."""
    assert RING.seal(b"x", context="c") != RING.seal(b"x", context="c")


def test_an_old_plain_text_is_returned_as_it_is() -> None:
    """A column may still hold a value from before encryption."""
    assert not is_sealed("plain-secret")
    assert RING.open_text("plain-secret", context="c") == "plain-secret"


@pytest.mark.parametrize("text", ["enc:1:", "enc:1:k2", "enc:1:k2:", "enc:1:k2:%%%", "enc:1:k2:AAAA"])
def test_a_damaged_sealed_text_is_refused(text: str) -> None:
    """A value that claims to be sealed is never passed on as plain."""
    with pytest.raises((CannotOpen, UnknownKey)):
        RING.open_text(text, context="c")


SECRET = base64.b64encode(b"not thirty-two bytes, but secret").decode()[:-4]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (f"{{{SECRET}", "not JSON"),
        (json.dumps([SECRET]), "JSON object"),
        (json.dumps({"current": "k1"}), '"keys"'),
        (json.dumps({"current": "k1", "keys": {}}), '"keys"'),
        (json.dumps({"current": "k9", "keys": {"k1": SECRET}}), '"current"'),
        (json.dumps({"current": 1, "keys": {"k1": SECRET}}), '"current"'),
        (json.dumps({"current": "k1", "keys": {"k1": SECRET}}), "'k1'"),
        (json.dumps({"current": "k1", "keys": {"k1": "é" + SECRET}}), "'k1'"),
        (json.dumps({"current": "k1", "keys": {"k1": 7}}), "'k1'"),
        (json.dumps({"current": "k:1", "keys": {"k:1": SECRET}}), "key id"),
    ],
)
def test_a_wrong_ring_is_refused_without_showing_it(text: str, says: str) -> None:
    """The error says what is wrong, and neither it nor what caused it holds key material."""
    with pytest.raises(ValueError, match=says) as caught:
        KeyRing.parse(text)
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None and caught.value.__suppress_context__ is not (
        caught.value.__context__ is None
    )


def test_a_ring_does_not_show_its_keys() -> None:
    """A ring in a log line or a traceback gives nothing away."""
    assert repr(RING) == "KeyRing(current='k2')"


def test_contexts_name_the_place() -> None:
    """The context of a stored value is table, column and row."""
    assert column_context("forms", "x", 7) == "forms.x:7"


def test_keyed_hash_is_hmac_sha256() -> None:
    """RFC 4231, test case 2; another key gives another hash."""
    expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    assert keyed_hash(b"Jefe", "what do ya want for nothing?") == expected
    assert keyed_hash(b"other", "what do ya want for nothing?") != expected
