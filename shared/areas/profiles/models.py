"""What goes over the wire for profiles."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from shared.areas.clients.models import AccessFlags
from shared.areas.text import BlankText, EmailAddress, Money, blank_is_none

NamePart = Annotated[BlankText, Field(max_length=60)]


class UpdateProfile(AccessFlags):
    """Changes to one's profile. What is absent, empty or null stays.

    ``password`` is the current one; a new password or another address needs it.
    """

    first_name: NamePart = ""
    last_name: NamePart = ""
    email: Annotated[EmailAddress | None, BeforeValidator(blank_is_none)] = None
    password: BlankText = Field(default="", repr=False)
    new_password: BlankText = Field(default="", repr=False)
    monthly_revenue_goal: Money = None
