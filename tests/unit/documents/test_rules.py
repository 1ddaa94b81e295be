"""Which texts go with which files, and what the configuration may say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.areas.documents import rules

TEXTS = st.lists(st.text(max_size=5), max_size=4)


@given(st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=4), TEXTS, TEXTS)
def test_texts_are_paired_only_when_there_is_one_for_each(
    names: list[str], labels: list[str], descriptions: list[str]
) -> None:
    """A text never lands on another file: lists of another length are not used, an empty label is the name."""
    made = rules.paired(names, labels, descriptions)

    assert len(made) == len(names)
    for index, (label, words) in enumerate(made):
        whole = len(labels) == len(names)
        assert label == ((labels[index].strip() if whole else "") or names[index])
        whole = len(descriptions) == len(names)
        assert words == ((descriptions[index].strip() if whole else "") or None)


def test_the_configuration_is_read_or_refused() -> None:
    """A list of documents is read; anything else is named as the setting it is."""
    [document] = rules.default_documents('[{"id": "a", "label": "A", "url": "/x"}]')
    assert (document.id, document.name) == ("a", "")
    assert rules.default_documents("") == ()
    for wrong in ("{}", "[{}]", "nonsense"):
        with pytest.raises(ValueError, match="DEFAULT_DOCUMENTS"):
            rules.default_documents(wrong)
