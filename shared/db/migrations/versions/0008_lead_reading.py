"""Reading leads: the age of a call and its JSON at the least cost."""

from shared.db.migrations.run_sql import run_revision

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    run_revision("0008_lead_reading")
