"""Monday: when each client's items were last read there. Blog: the HTML of old posts, cleaned."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from alembic import op

from shared.db.migrations.old_posts import clean_posts
from shared.db.migrations.run_sql import run_revision

if TYPE_CHECKING:
    import psycopg

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    run_revision("0018_monday_looks")
    clean_posts(cast("psycopg.Connection", op.get_bind().connection.driver_connection))
