"""Which texts go with which files, and what the configuration may say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.areas.documents import rules
from shared.config import DefaultDocument, Settings

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
    """A list of documents is read; anything else stops an instance at its start, naming the setting."""
    read = Settings.from_env({"DEFAULT_DOCUMENTS": '[{"id": "a", "label": "A", "url": "/x"}]'}).default_documents
    assert read == (DefaultDocument(id="a", label="A", url="/x", name=""),)
    assert Settings.from_env({"DEFAULT_DOCUMENTS": ""}).default_documents == ()
    for wrong in ('{"a": 1}', "[{}]", "nonsense", "7", '[{"id": 1, "label": "A", "url": "/x"}]', '["a"]'):
        with pytest.raises(ValueError, match="DEFAULT_DOCUMENTS"):
            Settings.from_env({"DEFAULT_DOCUMENTS": wrong})
