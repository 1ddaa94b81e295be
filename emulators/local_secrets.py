"""The secrets of one local cloud: random at first use, kept in its state folder, replaceable in ``.env``."""

from __future__ import annotations

import base64
import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from shared.config import SECRETS

MOUNTED = ("JWT_SECRET", "ENCRYPTION_KEYS", "HASH_KEY", "MAILGUN_WEBHOOK_SIGNING_KEY")  # by Terraform, as variables


def load(state_dir: Path, given: Mapping[str, str]) -> dict[str, str]:
    """Every secret of ``shared.config.SECRETS``; those in *given* win and are not written down."""
    file = state_dir / "secrets.json"
    known: dict[str, str] = json.loads(file.read_text()) if file.exists() else {}
    missing = [name for name in SECRETS if name not in known]
    if missing:
        known |= {name: _random(name) for name in missing}
        _write(file, json.dumps(known, indent=2))
    return {name: given.get(name) or known[name] for name in SECRETS}


def read_env_file(file: Path) -> dict[str, str]:
    """``NAME=value`` lines; blank lines, comments, ``export`` and one pair of quotes are understood."""
    if not file.exists():
        return {}
    found = {}
    for line in file.read_text().splitlines():
        name, sign, value = line.strip().removeprefix("export ").partition("=")
        if sign and not name.startswith("#"):
            value = value.strip()
            quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
            found[name.strip()] = value[1:-1] if quoted else value
    return found


def _random(name: str) -> str:
    if name == "ENCRYPTION_KEYS":
        key = base64.b64encode(secrets.token_bytes(32)).decode()
        return json.dumps({"current": "k1", "keys": {"k1": key}})
    return secrets.token_urlsafe(48)


def _write(file: Path, text: str) -> None:
    """Whole or not at all, and readable by its owner only."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_suffix(".new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as out:
        out.write(text)
    draft.replace(file)
