"""Firestore documents are put with a lifetime; Terraform must tell Google to end it."""

import ast
import re

from infra.image import ROOT


def collections_in(source):
    """The collections of every ``put(collection, …, lifetime=…)`` in a module, constants resolved."""
    tree = ast.parse(source)
    constants = {
        node.targets[0].id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "put"):
            continue
        if not any(keyword.arg == "lifetime" for keyword in node.keywords):
            continue
        first = node.args[0]
        yield first.value if isinstance(first, ast.Constant) else constants[first.id]


def test_a_collection_is_found_by_its_constant_or_its_name():
    """The test below sees what it is about."""
    puts = ('d.put(_A, "k", {}, lifetime=1)', 'd.put("states", "k", {}, lifetime=1)', 'other.put("x")')
    source = "\n".join(['_A = "syncs"', "async def f(d, other):", *(f"    await {put}" for put in puts)])
    assert list(collections_in(source)) == ["syncs", "states"]


def test_every_collection_has_a_ttl_policy():
    """A collection without one would keep its documents for ever."""
    used = set()
    for path in (ROOT / "shared" / "areas").rglob("*.py"):
        used |= set(collections_in(path.read_text()))
    text = (ROOT / "infra/terraform/modules/anchor/variables.tf").read_text()
    block = text[text.index('"firestore_ttl_fields"') :]
    policies = dict(re.findall(r'(\w+)\s+= "(\w+)"', block[: block.index("\n}\n")]))
    assert used <= set(policies), used - set(policies)
    assert set(policies.values()) == {"expires_at"}
