"""Makes the first superadmin of an empty installation: ``python -m shared.db.first_superadmin EMAIL FIRST LAST``.

The account has no password: its owner sets one through *forgot password*, which proves the address. Refused once a
superadmin exists, who makes further ones in the dashboard.
"""

from __future__ import annotations

import os
import sys


def make(database_url: str, email: str, first_name: str, last_name: str) -> str | None:
    """Make the account; None when it was made, else why not."""
    import psycopg

    if "@" not in email:
        return f"{email} is no e-mail address"
    with psycopg.connect(database_url) as connection:
        connection.execute("lock table users in share row exclusive mode")  # two at once would both find none
        if connection.execute("select 1 from users where role = 'superadmin'").fetchone():
            return "there is a superadmin already"
        made = connection.execute(
            """
            insert into users (email, first_name, last_name, role, email_verified_at)
            values (%s, %s, %s, 'superadmin', now()) on conflict do nothing
            """,
            (email.strip().lower(), first_name, last_name),
        )
        return None if made.rowcount else "another account has this address"


def main(arguments: list[str]) -> int:
    """0 when the account was made."""
    if len(arguments) != 3:
        print(__doc__, file=sys.stderr)  # noqa: T201
        return 2
    refused = make(os.environ["DATABASE_URL"], *arguments)
    print(refused or f"{arguments[0]} is superadmin; set a password through forgot password")  # noqa: T201
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
