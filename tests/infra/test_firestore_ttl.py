"""Firestore documents are put with a lifetime; Terraform must tell Google to end it."""

import ast
import re

from infra.image import ROOT


def collections_in(source):
    """The collections of every ``put(collection, …, lifetime=…)`` in a module, constants resolved."""
    tree = ast.parse(source)
    constants = {}
    for node in tree.body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Constant):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            constants[ast.unparse(target)] = node.value.value
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
    puts += ('d.put(B, "k", {}, lifetime=1)',)
    source = "\n".join(
        ['_A = "syncs"', 'B: Final = "pauses"', "async def f(d, other):", *(f"    await {put}" for put in puts)]
    )
    assert list(collections_in(source)) == ["syncs", "states", "pauses"]


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
