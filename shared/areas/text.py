"""Texts that many areas take: e-mail addresses, people's names, lines that may be left empty."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

_ADDRESS = re.compile(r"[^\s@<>\"(),:;\\\[\]]{1,64}@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}")


def email_address(text: str) -> str:
    """An address in the form we keep: trimmed, lower case. ValueError for anything else."""
    address = text.strip().lower()
    if len(address) > 254 or not _ADDRESS.fullmatch(address):
        raise ValueError("is not an e-mail address")
    return address


def without_nul(text: str) -> str:
    """PostgreSQL keeps no zero bytes."""
    if "\x00" in text:
        raise ValueError("must not contain zero bytes")
    return text


UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
"""What PostgreSQL keeps in no text: zero bytes and halves of surrogate pairs."""


def storable(text: str) -> str:
    """A text of somebody else's (a vendor's, a model's) without what cannot be kept."""
    return UNSTORABLE.sub("", text)


def blank_is_none(value: object) -> object:
    return None if isinstance(value, str) and not value.strip() else value


def null_is_blank(value: object) -> object:
    return "" if value is None else value


EmailAddress = Annotated[str, AfterValidator(email_address)]
"""An e-mail address, lower case."""

Text = Annotated[str, Field(max_length=2_000), AfterValidator(without_nul)]
"""A text of at most 2,000 characters."""

LongText = Annotated[str, Field(max_length=20_000), AfterValidator(without_nul)]
"""A text of at most 20,000 characters."""

BlankText = Annotated[Text, BeforeValidator(null_is_blank)]
"""A text, empty where it was null."""

OptionalText = Annotated[Text | None, BeforeValidator(blank_is_none)]
"""A text, or None where it was left empty."""

OptionalLongText = Annotated[LongText | None, BeforeValidator(blank_is_none)]
"""A longer text, or None where it was left empty."""


def split_name(display_name: str) -> tuple[str, str]:
    """First word and the rest, which may be empty; each at most 60 characters, as the columns keep them."""
    first, _, rest = " ".join(display_name.split()).partition(" ")
    return first[:60], rest[:60]


def money(value: object) -> object:
    """An amount as people type it, made readable; blank is None."""
    if isinstance(value, str):
        return value.replace(",", "").replace("$", "").strip() or None
    return value


_Amount = Annotated[Decimal, Field(ge=0, lt=10**8, decimal_places=2)]
Money = Annotated[_Amount | None, BeforeValidator(money)]
"""An amount of at most ten digits, two of them cents, or None where it was left empty."""
