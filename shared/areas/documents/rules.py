"""Which texts go with which of several uploaded files."""

from __future__ import annotations

from collections.abc import Sequence


def paired(names: Sequence[str], labels: Sequence[str], descriptions: Sequence[str]) -> list[tuple[str, str | None]]:
    """A label and a description for each file.

    The dashboard leaves empty texts out, so a list that is shorter than the files says nothing of which file each of
    its texts belongs to: then files are labelled with their names, and go without a description. A person can edit it.
    """
    count = len(names)
    chosen = [text.strip() for text in labels] if len(labels) == count else [""] * count
    said = [text.strip() for text in descriptions] if len(descriptions) == count else [""] * count
    return [(label or name, words or None) for name, label, words in zip(names, chosen, said, strict=True)]
