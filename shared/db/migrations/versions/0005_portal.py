"""What the portal adds: kept files, states of onboarding links, avatars in the bucket."""

from shared.db.migrations.run_sql import run_revision

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    run_revision("0005_portal")
