"""Publishing: which images of ours a WordPress site has in its library."""

from shared.db.migrations.run_sql import run_revision

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    run_revision("0017_publishing")
