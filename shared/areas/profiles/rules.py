"""Avatars: whatever picture somebody sends becomes a small one of our own making."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Final

from shared.areas.files.models import NewFile, Upload
from shared.areas.files.rules import MEBIBYTE, RASTER_IMAGES, accept
from shared.errors import Invalid

if TYPE_CHECKING:
    from PIL import Image

MAX_BYTES: Final = 5 * MEBIBYTE
SIDE: Final = 512  # pixels
_MAX_PIXELS: Final = 50_000_000  # decoded: some 200 MB, and more than any camera of today makes
_FORMATS: Final = ("PNG", "JPEG", "WEBP", "GIF", "BMP")


def avatar(upload: Upload) -> NewFile:
    """The picture within 512 × 512 pixels, turned upright, without anything else that its file held.

    Raises Invalid or TooLarge when it is no picture we can read. Takes processor time: call it in a thread.
    """
    accept(upload, "avatar", RASTER_IMAGES, max_bytes=MAX_BYTES)
    from PIL import Image, ImageOps

    try:
        with Image.open(io.BytesIO(upload.data), formats=_FORMATS) as image:
            if image.width * image.height > _MAX_PIXELS:
                raise Invalid.field("avatar", "has too many pixels")
            small = ImageOps.exif_transpose(image)
            small.thumbnail((SIDE, SIDE))
            return _encoded(small)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        raise Invalid.field("avatar", "is not a picture that can be read") from None


def _encoded(image: Image.Image) -> NewFile:
    out = io.BytesIO()
    if image.has_transparency_data:
        image.convert("RGBA").save(out, "PNG", optimize=True)
        return NewFile("avatar.png", "image/png", out.getvalue())
    image.convert("RGB").save(out, "JPEG", quality=88)
    return NewFile("avatar.jpg", "image/jpeg", out.getvalue())


def true_type(data: bytes) -> str | None:
    """The type of a picture that the old server kept as it came; None when it is none."""
    found = (kind.content_type for kind in RASTER_IMAGES.values() if kind.fits(data))
    return next(found, None)
