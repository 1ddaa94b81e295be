"""The database: the pool, the transaction, and the migrations that build it or adopt the old server's."""
