"""The forms builder: who reaches which form, drawn PDFs in the bucket, the AI's runs, and how often a form is seen."""

from shared.db.migrations.run_sql import run_revision

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    run_revision("0014_forms_admin")
