"""The letters of the PDFs that we draw."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from fpdf import FPDF

FAMILY: Final = "Roboto"


def add_to(pdf: FPDF) -> None:
    """Make Roboto, regular and bold, known to *pdf*."""
    for style, name in (("", "Regular"), ("B", "Bold")):
        pdf.add_font(FAMILY, style, _folder() / f"Roboto-{name}.ttf")


@cache
def _folder() -> Path:
    """Where the installed Roboto is: it has Latin, Greek and Cyrillic letters."""
    found = find_spec("font_roboto")
    assert found is not None and found.origin is not None, "requirements.txt names it"
    return Path(found.origin).parent / "files"
