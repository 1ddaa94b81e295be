"""What goes over the wire for a brand."""

from __future__ import annotations

import re
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Json

from shared.areas.text import OptionalLongText, OptionalText

Kind = Literal["logo", "style_guide"]


def _web(value: str | None) -> str | None:
    as_browsers_read_it = re.sub(r"[\x00-\x20]", "", value or "")
    if re.match(r"(javascript|data|vbscript):", as_browsers_read_it, re.IGNORECASE):
        raise ValueError("must be a web address")
    return value


class BrandTexts(BaseModel):
    """A brand's texts. What is absent stays; an empty text empties its field."""

    business_name: OptionalText = None
    business_description: OptionalLongText = None
    primary_brand_colors: OptionalText = None
    brand_notes: OptionalLongText = None
    website_url: Annotated[OptionalText, AfterValidator(_web)] = None

    def columns(self) -> dict[str, str | None]:
        """The columns that were given, empty ones too."""
        return {name: getattr(self, name) for name in BrandTexts.model_fields if name in self.model_fields_set}


class SaveBrand(BrandTexts):
    """The texts beside the files of a brand form; ``deletions``: a JSON list of file ids."""

    deletions: Json[list[str]] = []


class AssetKind(BaseModel):
    """The text beside uploaded brand files."""

    asset_kind: Kind = "logo"


class Asset(BaseModel):
    """§Asset: one file of a brand."""

    id: str
    kind: Kind
    name: str
    url: str
    mime: str
    size: int | None = None
    uploaded_at: str | None = None


class Brand(BaseModel):
    """§Brand as the hub shows it: logos and style guides apart."""

    id: UUID | None = None
    user_id: UUID
    business_name: str | None = ""
    business_description: str | None = ""
    primary_brand_colors: str | None = None
    logos: list[Asset] = []
    style_guides: list[Asset] = []
    brand_notes: str | None = ""
    website_url: str | None = ""
    updated_at: str | None = None
