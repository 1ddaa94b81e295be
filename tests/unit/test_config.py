"""Settings are read from the environment, and a wrong one stops the instance by name."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from shared.config import Settings


def test_what_is_not_given_has_its_default() -> None:
    """An empty environment is a laptop's."""
    assert asdict(Settings.from_env({})) == asdict(Settings())


def test_values_are_read_as_their_fields_types() -> None:
    """Numbers, truths, lists and choices, however they are spelled."""
    read = Settings.from_env(
        {
            "DATABASE_POOL_SIZE": "7",
            "BEHIND_GATEWAY": "True",
            "CORS_ORIGINS": "https://a.test, ",
            "VERTEX_THINKING": "LOW",
        }
    )
    assert (read.database_pool_size, read.behind_gateway, read.cors_origins, read.vertex_thinking) == (
        7, True, ("https://a.test",), "low",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value"), [("DATABASE_POOL_SIZE", "many"), ("BEHIND_GATEWAY", "perhaps"), ("VERTEX_THINKING", "hard")]
)
def test_a_wrong_value_is_named(name: str, value: str) -> None:
    """The variable's name is in the error; an instance that starts with a guess would be worse than none."""
    with pytest.raises(ValueError, match=name):
        Settings.from_env({name: value})
