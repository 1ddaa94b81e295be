"""The whole cloud on one machine: gateway, functions, stand-ins of Google and of the vendors, and their supervisor."""

import os

# Read when grpc is first imported: else it notes every child process on the terminal.
os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
