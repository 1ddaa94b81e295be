"""The local cloud's command: ``python -m emulators up | demo | reset``.

Environment: ``PORT`` (8080), ``STATE_DIR`` (.local), ``ANCHOR_EMULATORS=stand-in`` (never Google's own emulators).
The demo has a state of its own beside it, which every play begins empty.
"""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")  # we fork only to exec, and gRPC would say so each time
os.environ.setdefault("GRPC_VERBOSITY", "ERROR")

import uvloop

from emulators.cloud import USUAL_PORT, CloudFailed, Options, reset, up


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m emulators", description="The whole cloud on this machine.")
    parser.add_argument("command", choices=("up", "demo", "reset"))
    command = parser.parse_args().command
    state_dir = Path(os.environ.get("STATE_DIR") or ".local")
    if command == "reset":
        try:
            print(reset(state_dir))
        except CloudFailed as error:
            print(error, file=sys.stderr)
            return 1
        return 0
    try:
        port = int(os.environ.get("PORT") or USUAL_PORT)
    except ValueError:
        print("PORT must be a number", file=sys.stderr)
        return 2
    from emulators import demo

    options = Options(state_dir, port, stand_ins=os.environ.get("ANCHOR_EMULATORS") == "stand-in")
    if command == "up":
        return uvloop.run(up(options, prepare=demo.seed))
    return uvloop.run(demo.run(replace(options, state_dir=Path(f"{state_dir}-demo"))))


if __name__ == "__main__":
    sys.exit(main())
