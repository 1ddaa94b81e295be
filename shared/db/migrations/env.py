"""Alembic's entry: runs the revisions on the connection that ``shared.db.migrate`` hands over, in its transaction."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    on_version_apply=context.config.attributes["on_version_apply"],
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
