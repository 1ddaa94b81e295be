"""Which files are accepted, as what they are served, and what their addresses look like.

A file must be on the list by its extension, by the type its sender declares (none or octet-stream says nothing), and by
its first bytes. What is kept is the list's type, never the sender's. Source: spec api-accounts §3, upload allow-list.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final
from urllib.parse import quote, unquote
from uuid import UUID

from shared.areas.files.models import Upload
from shared.errors import Invalid, TooLarge

MEBIBYTE: Final = 1024 * 1024
MAX_BYTES: Final = 25 * MEBIBYTE
_UNSAID = ("", "application/octet-stream", "binary/octet-stream")


def _starts(*beginnings: bytes) -> Callable[[bytes], bool]:
    return lambda data: data.startswith(beginnings)


def _webp(data: bytes) -> bool:
    return data[:4] == b"RIFF" and data[8:12] == b"WEBP"


def _heif(data: bytes) -> bool:
    return data[4:8] == b"ftyp" and data[8:12] in (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")


def _pdf(data: bytes) -> bool:
    return b"%PDF-" in data[:1024]


_CONTROLS = bytes(set(range(32)) - set(b"\t\n\f\r\x1b"))


def _text(data: bytes) -> bool:
    """Text in any encoding without zero bytes; UTF-16 with its mark."""
    head = data[:4096]
    return head.startswith((b"\xff\xfe", b"\xfe\xff")) or not any(byte in _CONTROLS for byte in head)


def _svg(data: bytes) -> bool:
    return _text(data) and re.search(rb"<(?:\w+:)?svg[\s>]", data[:4096], re.IGNORECASE) is not None


@dataclass(frozen=True, slots=True)
class Kind:
    """One sort of file: how it is served, what else senders call it, and how its content begins."""

    content_type: str
    aliases: tuple[str, ...]
    fits: Callable[[bytes], bool]
    inline: bool = False  # may be shown by the browser at our address: it can hold no script


_ZIP = _starts(b"PK\x03\x04", b"PK\x05\x06")
_OLE = _starts(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
_OFFICE = "application/vnd.openxmlformats-officedocument"
_PNG = Kind("image/png", ("image/x-png",), _starts(b"\x89PNG\r\n\x1a\n"), True)
_JPEG = Kind("image/jpeg", ("image/jpg", "image/pjpeg", "image/jfif"), _starts(b"\xff\xd8\xff"), True)
_TIFF = Kind("image/tiff", (), _starts(b"II*\x00", b"MM\x00*"))
_HEIF = Kind("image/heif", ("image/heic", "image/heif-sequence", "image/heic-sequence"), _heif)

RASTER_IMAGES: Final[dict[str, Kind]] = {
    "png": _PNG,
    "jpg": _JPEG,
    "jpeg": _JPEG,
    "jfif": _JPEG,
    "webp": Kind("image/webp", (), _webp, True),
    "gif": Kind("image/gif", (), _starts(b"GIF87a", b"GIF89a"), True),
    "bmp": Kind("image/bmp", ("image/x-ms-bmp", "image/x-bmp"), _starts(b"BM"), True),
}
DOCUMENTS: Final[dict[str, Kind]] = {
    **RASTER_IMAGES,
    "tif": _TIFF,
    "tiff": _TIFF,
    "heic": _HEIF,
    "heif": _HEIF,
    "svg": Kind("image/svg+xml", ("text/xml", "application/xml"), _svg),
    "pdf": Kind("application/pdf", ("application/x-pdf",), _pdf, True),
    "txt": Kind("text/plain", (), _text, True),
    "rtf": Kind("application/rtf", ("text/rtf", "text/richtext", "application/msword"), _starts(b"{\\rtf")),
    "csv": Kind("text/csv", ("text/plain", "application/csv", "application/vnd.ms-excel"), _text),
    "doc": Kind("application/msword", (), _OLE),
    "docx": Kind(f"{_OFFICE}.wordprocessingml.document", ("application/zip",), _ZIP),
    "ppt": Kind("application/vnd.ms-powerpoint", (), _OLE),
    "pptx": Kind(f"{_OFFICE}.presentationml.presentation", ("application/zip",), _ZIP),
    "xls": Kind("application/vnd.ms-excel", (), _OLE),
    "xlsx": Kind(f"{_OFFICE}.spreadsheetml.sheet", ("application/zip",), _ZIP),
    "zip": Kind("application/zip", ("application/x-zip-compressed", "application/x-zip", "multipart/x-zip"), _ZIP),
}


def accept(upload: Upload, field: str, allowed: dict[str, Kind], *, max_bytes: int = MAX_BYTES) -> Kind:
    """The kind of an upload; Invalid or TooLarge, naming *field*, when it may not be kept."""
    if not upload.data:
        raise Invalid.field(field, "is an empty file")
    if len(upload.data) > max_bytes:
        raise TooLarge(f"{field}: a file may have at most {max_bytes / MEBIBYTE:.3g} MB")
    extension = PurePosixPath(safe_name(upload.name)).suffix.lower().removeprefix(".")
    kind = allowed.get(extension)
    if kind is None:
        raise Invalid.field(field, f"takes files of the types {', '.join(sorted(allowed))}")
    declared = upload.content_type.partition(";")[0].strip().lower()
    if declared not in (*_UNSAID, kind.content_type, *kind.aliases):
        raise Invalid.field(field, f"has the name of a .{extension} file but declares another type")
    if not kind.fits(upload.data):
        raise Invalid.field(field, f"has the name of a .{extension} file but other content")
    return kind


def safe_name(name: str) -> str:
    """A file name to show and to save under: no folders, no control characters, at most 150 characters."""
    last = re.split(r"[/\\]", name)[-1]
    clean = "".join(char for char in last if char.isprintable()).strip().lstrip(".")
    stem, dot, extension = clean.rpartition(".")
    if dot and len(clean) > 150:
        clean = f"{stem[: 149 - len(extension)]}.{extension}"
    return clean[:150] or "file"


def url(file_id: UUID, name: str) -> str:
    """The address of a kept file; its last segment is there for people, and for previews that go by the extension."""
    return f"/uploads/{file_id}/{quote(name, safe='')}"


_OLD = re.compile(r"/uploads/([A-Za-z0-9-]{1,40})/([^/?#]{1,2000})")


def read_url(address: str | None) -> UUID | str | None:
    """What an address stands for: a kept file's id; the object of an old path; None for an address elsewhere."""
    found = _OLD.fullmatch(address or "")
    if not found:
        return None
    try:
        return UUID(found[1])
    except ValueError:
        return old_object(found[1], unquote(found[2]))


def old_object(folder: str, name: str) -> str | None:
    """The object that a path of the old server's upload folder was copied to; None when the path is no such path."""
    if not re.fullmatch(r"[A-Za-z0-9-]{1,40}", folder) or not name or "/" in name or name in (".", ".."):
        return None
    return f"{folder}/{name}"


def kind_of_name(name: str) -> Kind | None:
    """What an old file is, by its extension alone: nobody looked into it when it was kept."""
    return DOCUMENTS.get(PurePosixPath(name).suffix.lower().removeprefix("."))


def download_headers(name: str, content_type: str) -> dict[str, str]:
    """The headers of a file that a stranger sent: saved, never shown at our address, and kept by no cache."""
    return {
        "Content-Type": content_type,
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cache-Control": "no-store",
    }


def headers(name: str, content_type: str, *, cache: str) -> dict[str, str]:
    """The headers of a file's answer: shown only where it can do no harm, else downloaded."""
    shown = any(kind.inline and kind.content_type == content_type for kind in DOCUMENTS.values())
    disposition = "inline" if shown else "attachment"
    is_pdf = content_type == "application/pdf"  # browsers' own viewers do not work inside a sandbox
    policy = "default-src 'self'; object-src 'self'" if is_pdf else "default-src 'none'; sandbox"
    utf8 = "; charset=utf-8" if content_type.startswith("text/") else ""
    return {
        "Content-Type": content_type + utf8,
        "Content-Disposition": f"{disposition}; filename*=UTF-8''{quote(name, safe='')}",
        "Content-Security-Policy": f"{policy}; frame-ancestors 'self'",
        "Cache-Control": cache,
    }
