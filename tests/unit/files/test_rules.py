"""Which files are kept, and under which names and addresses."""

from __future__ import annotations

from urllib.parse import unquote
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.areas.files import rules
from shared.areas.files.models import NewFile
from shared.errors import Invalid, TooLarge

BEGINNINGS = {
    "png": b"\x89PNG\r\n\x1a\n",
    "jpg": b"\xff\xd8\xff\xe0",
    "gif": b"GIF89a",
    "webp": b"RIFF\x00\x00\x00\x00WEBP",
    "bmp": b"BM",
    "tiff": b"II*\x00",
    "heic": b"\x00\x00\x00\x18ftypheic",
    "svg": b"<?xml version='1.0'?><svg xmlns='x'/>",
    "pdf": b"%PDF-1.7",
    "txt": b"plain words",
    "rtf": b"{\\rtf1",
    "csv": b"a,b\n1,2\n",
    "doc": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    "docx": b"PK\x03\x04",
    "zip": b"PK\x03\x04",
}


@pytest.mark.parametrize("extension", BEGINNINGS)
def test_a_file_is_known_by_name_type_and_content(extension: str) -> None:
    """A true file is accepted under its own type, or when its sender does not say one."""
    data = BEGINNINGS[extension]
    kind = rules.DOCUMENTS[extension]
    for declared in ("", "application/octet-stream", kind.content_type, f"{kind.content_type}; charset=x"):
        assert rules.accept(NewFile(f"a.{extension.upper()}", declared, data), "f", rules.DOCUMENTS) is kind


@pytest.mark.parametrize("extension", BEGINNINGS)
def test_content_of_another_kind_is_refused(extension: str) -> None:
    """The content of one kind under the name of another is refused, unless the two share a container."""
    for other, data in BEGINNINGS.items():
        fits = rules.DOCUMENTS[extension].fits(data)
        if rules.DOCUMENTS[other].fits is rules.DOCUMENTS[extension].fits or extension in ("txt", "csv"):
            continue
        assert not fits, (extension, other)


@given(st.binary(max_size=64), st.sampled_from(sorted(rules.RASTER_IMAGES)))
def test_no_page_passes_as_a_picture(rest: bytes, extension: str) -> None:
    """What begins like a web page is no picture, whatever follows."""
    with pytest.raises(Invalid):
        rules.accept(NewFile(f"a.{extension}", "", b"<html>" + rest), "f", rules.RASTER_IMAGES)


def test_a_file_has_a_size() -> None:
    """Empty files and those beyond the limit are refused."""
    with pytest.raises(Invalid):
        rules.accept(NewFile("a.txt", "", b""), "f", rules.DOCUMENTS)
    with pytest.raises(TooLarge):
        rules.accept(NewFile("a.txt", "", b"12345"), "f", rules.DOCUMENTS, max_bytes=4)


@given(st.text(max_size=400))
def test_a_safe_name_has_no_folder_and_no_control(name: str) -> None:
    """Any name becomes one that can be shown and saved: a last segment, printable, not hidden, short."""
    safe = rules.safe_name(name)

    assert 0 < len(safe) <= 150 and safe.isprintable()
    assert not set(safe) & set("/\\") and not safe.startswith(".")
    assert rules.safe_name(safe) == safe


@given(st.text(min_size=1, max_size=300), st.sampled_from(["png", "pdf"]))
def test_a_long_name_keeps_its_extension(stem: str, extension: str) -> None:
    """Cutting a name does not change what the file is."""
    safe = rules.safe_name(f"a{stem}b.{extension}")

    assert safe.endswith(f".{extension}")


@given(st.text(max_size=60))
def test_an_address_is_read_back(name: str) -> None:
    """The address made for a file stands for that file, whatever its name."""
    file_id, safe = uuid4(), rules.safe_name(name)

    address = rules.url(file_id, safe)

    assert rules.read_url(address) == file_id
    assert unquote(address.rpartition("/")[2]) == safe


@pytest.mark.parametrize(
    ("address", "stands_for"),
    [
        ("/uploads/docs/17-a%20b.pdf", "docs/17-a b.pdf"),
        ("/uploads/brand/x.png", "brand/x.png"),
        ("/uploads/docs/..", None),
        ("/uploads/docs/..%2F..%2Fsecret", None),
        ("/uploads/do.cs/x", None),
        ("/uploads/docs/a/b", None),
        ("/uploads/docs/a?x=1", None),
        ("https://elsewhere.example/uploads/docs/a", None),
        ("", None),
        (None, None),
    ],
)
def test_old_addresses_stand_for_their_copies_only(address: str | None, stands_for: str | None) -> None:
    """A path of the old folder is the object it was copied to; nothing outside that folder can be named."""
    assert rules.read_url(address) == stands_for


@given(st.text(min_size=1, max_size=40).map(rules.safe_name))
def test_only_harmless_types_are_shown_by_the_browser(name: str) -> None:
    """Pictures, PDF and text open in the browser; drawings, archives and the rest are downloaded, nothing runs."""
    for kind in rules.DOCUMENTS.values():
        headers = rules.headers(name, kind.content_type, cache="private")
        shown = kind.content_type.startswith("image/") and "svg" not in kind.content_type
        expected = kind.content_type in ("application/pdf", "text/plain") or (shown and kind.inline)
        assert headers["Content-Disposition"].startswith("inline" if expected else "attachment")
        assert "\n" not in headers["Content-Disposition"] and "\r" not in headers["Content-Disposition"]
        headers["Content-Disposition"].encode("latin-1")
        assert "script-src" not in headers["Content-Security-Policy"]
