"""Cells of CSV."""

from __future__ import annotations

import csv
import io
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shared.areas.csv import csv_line


@given(st.lists(st.lists(st.none() | st.integers() | st.text(), min_size=2, max_size=4), max_size=5))
def test_csv_comes_back_as_text(rows: list[list[Any]]) -> None:
    """What is written is read again, but for the apostrophe before what a spreadsheet would run."""
    for row in rows:
        [read] = csv.reader(io.StringIO(csv_line(row), newline=""))
        plain = ["" if cell is None else str(cell) for cell in row]
        assert [
            cell.removeprefix("'") if not was.startswith("'") else cell for cell, was in zip(read, plain, strict=True)
        ] == plain
        assert not any(cell.startswith(tuple("=+-@\t\r\n＝＋－＠")) for cell in read)
