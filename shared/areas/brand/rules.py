"""A brand's files: logos and style guides, however the old server kept them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from shared.areas.brand.models import Asset, Kind
from shared.areas.files.models import Kept
from shared.areas.files.rules import kind_of_name


def assets(logos: Any, style_guides: Any) -> list[Asset]:
    """All files of a brand row, each once. Onboarding kept style guides among the logos, marked by their kind."""
    found: dict[str, Asset] = {}
    for rows, kind in ((logos, "logo"), (style_guides, "style_guide")):
        for row in rows if isinstance(rows, list) else []:
            if isinstance(row, dict) and row.get("id") and row.get("url"):
                asset = _asset(row, "style_guide" if row.get("kind") == "style_guide" else kind)
                found.setdefault(asset.id, asset)
    return list(found.values())


def _asset(row: dict[str, Any], kind: Any) -> Asset:
    name = str(row.get("name") or "file")
    known = kind_of_name(name)
    size = row.get("size")
    return Asset(
        id=str(row["id"]),
        kind=kind,
        name=name,
        url=str(row["url"]),
        mime=str(row.get("mime") or (known.content_type if known else "application/octet-stream")),
        size=size if isinstance(size, int) else None,
        uploaded_at=str(row["uploaded_at"]) if row.get("uploaded_at") else None,
    )


def of_kind(files: Iterable[Asset], kind: Kind) -> list[Asset]:
    return [asset for asset in files if asset.kind == kind]


def from_kept(file: Kept, kind: Kind) -> Asset:
    """A newly kept file as the brand's."""
    return Asset(
        id=str(file.id),
        kind=kind,
        name=file.name,
        url=file.url,
        mime=file.content_type,
        size=file.size,
        uploaded_at=file.created_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    )
