"""What Terraform tells the functions is what they read."""

import re
from dataclasses import fields
from pathlib import Path

from infra import render
from shared.config import Settings

MAIN = Path(render.__file__).parent / "terraform" / "modules" / "anchor" / "main.tf"


def told() -> set[str]:
    [block] = re.findall(r"environment = merge\(var\.settings, \{\n(.*?)\n  \}\)", MAIN.read_text(), re.S)
    return set(re.findall(r"^    ([A-Z_]+) +=", block, re.M))


def test_every_variable_is_a_setting():
    """A variable that no setting reads would be a typing error that nobody sees."""
    assert told() <= {field.name.upper() for field in fields(Settings)}


def test_functions_know_that_the_gateway_is_in_front():
    """Behind API Gateway the caller's token is in another header: without this nobody could sign in."""
    assert {"BEHIND_GATEWAY", "TRUSTED_PROXY_HOPS"} <= told()
