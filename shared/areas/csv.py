"""Lines of CSV (RFC 4180) that no spreadsheet takes for formulas."""

from __future__ import annotations

import re
from collections.abc import Iterable

# Source: OWASP, "CSV Injection"; the wide forms are read as the plain ones by spreadsheets of East Asia.
_FORMULA = tuple("=+-@\t\r\n＝＋－＠")


def csv_line(cells: Iterable[object]) -> str:
    """One line of CSV; a cell that a spreadsheet would run as a formula is made text."""
    return ",".join(_cell("" if cell is None else str(cell)) for cell in cells) + "\r\n"


def _cell(text: str) -> str:
    if text.startswith(_FORMULA):
        text = "'" + text
    return '"' + text.replace('"', '""') + '"' if re.search(r'[",\r\n]', text) else text
