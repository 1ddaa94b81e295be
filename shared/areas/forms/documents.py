"""Documents that staff upload for the AI: checked, counted, made small. Takes processor time: call it in a thread."""

from __future__ import annotations

import io
import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from shared.areas.files.models import Upload
from shared.areas.files.rules import DOCUMENTS, MEBIBYTE, RASTER_IMAGES, accept
from shared.errors import Invalid

if TYPE_CHECKING:
    from PIL import Image

MAX_BYTES: Final = 10 * MEBIBYTE
MAX_IMAGES: Final = 10
PDF: Final = {"pdf": DOCUMENTS["pdf"]}
_MAX_PIXELS: Final = 50_000_000
_SIDE: Final = 1600  # pixels: what the model looks at
_FORMATS: Final = ("PNG", "JPEG", "WEBP", "GIF", "BMP")
_PDFIUM = threading.Lock()  # the library is not made for two threads


@dataclass(frozen=True, slots=True)
class Document:
    """What the model sees as (MIME type, content), and the text that the PDF itself holds."""

    media: list[tuple[str, bytes]]
    text: str


def read_pdf(upload: Upload, *, max_pages: int) -> Document:
    """A PDF of at most *max_pages*; Invalid or TooLarge when it is none, cannot be opened, or is longer."""
    accept(upload, "pdf", PDF, max_bytes=MAX_BYTES)
    import pypdfium2  # type: ignore[import-untyped]

    with _PDFIUM:
        try:
            with pypdfium2.PdfDocument(upload.data) as pdf:
                pages = len(pdf)
                if not 0 < pages <= max_pages:
                    raise Invalid.field("pdf", f"has {pages} pages; at most {max_pages} can be read at once")
                text = "\n".join(_text(pdf[number]) for number in range(pages))
        except pypdfium2.PdfiumError:  # also of a single page
            raise Invalid.field("pdf", "cannot be opened: it is damaged or needs a password") from None
    return Document([("application/pdf", upload.data)], text)


def _text(page: Any) -> str:
    words = page.get_textpage()
    try:
        return str(words.get_text_range())[:20_000]
    finally:
        words.close()
        page.close()


def read_images(uploads: Sequence[Upload]) -> list[tuple[str, bytes]]:
    """Pictures of pages, made small; blank ones are left out. Invalid or TooLarge for one that is no picture."""
    return [one for upload in uploads if (one := _image(upload)) is not None]


def _image(upload: Upload) -> tuple[str, bytes] | None:
    accept(upload, "images", RASTER_IMAGES, max_bytes=MAX_BYTES)
    from PIL import Image, ImageOps

    try:
        with Image.open(io.BytesIO(upload.data), formats=_FORMATS) as image:
            if image.width * image.height > _MAX_PIXELS:
                raise Invalid.field("images", "has too many pixels")
            small = ImageOps.exif_transpose(image).convert("RGB")
            small.thumbnail((_SIDE, _SIDE))
            if _is_blank(small):
                return None
            out = io.BytesIO()
            small.save(out, "JPEG", quality=80)
            return "image/jpeg", out.getvalue()
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        raise Invalid.field("images", "is not a picture that can be read") from None


def _is_blank(image: Image.Image) -> bool:
    """Whether hardly anything differs in brightness."""
    counts = image.convert("L").histogram()
    shades = [shade for shade, count in enumerate(counts) if count]
    return shades[-1] - shades[0] < 8


# --- whether the labels were read right -------------------------------------------------------------------------------


def labels_in(text: str) -> list[str]:
    """Lines of a form's text that look like labels: short, with letters, before a colon or a line to write on."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        for part in re.split(r"[_.]{3,}|\t|\s{4,}", line):
            label = part.strip().rstrip(":*_ .").strip()
            words = label.split()
            if 3 <= len(label) <= 60 and 1 <= len(words) <= 8 and re.search(r"[^\W\d_]{2}", label):
                found.setdefault(label.lower(), label)
    return list(found.values())[:300]


def validation(text: str, labels: Sequence[str]) -> dict[str, Any] | None:
    """``ai_validation`` of spec §1: which of the PDF's labels the model missed or misspelt; None without a text."""
    expected = labels_in(text)
    if not expected or not labels:
        return None
    missing, typos = [], []
    for one in expected:
        score, best = max((dice(one, label), label) for label in labels)
        told = {"expected": one, "best_match": best, "score": round(score, 3)}
        if score < 0.72:
            missing.append(told)
        elif score < 0.9:
            typos.append(told)
    return {
        "pdf_label_count": len(expected),
        "ai_label_count": len(labels),
        "missing": missing,
        "possible_typos": typos,
    }


def dice(first: str, second: str) -> float:
    """How much two texts have in common, by their pairs of letters: 0 to 1."""
    one, two = _pairs(first), _pairs(second)
    if not one or not two:
        return float(first.strip().lower() == second.strip().lower())
    return 2 * len(one & two) / (len(one) + len(two))


def _pairs(text: str) -> set[str]:
    plain = re.sub(r"\W+", " ", text.lower()).strip()
    return {plain[at : at + 2] for at in range(len(plain) - 1)}
