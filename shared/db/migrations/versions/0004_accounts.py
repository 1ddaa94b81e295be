"""Sign-in: used-up refresh tokens, impersonation in the session, limits of codes, authenticator apps."""

from shared.db.migrations.run_sql import run_revision

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    run_revision("0004_accounts")
