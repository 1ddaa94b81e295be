"""The versions of the database: SQL files by area, run by Alembic, and the adoption of the old server's database."""
