"""Writes the tables of ``docs/cost-and-scale.md``: ``python -m infra.cost``; ``--check`` fails when they are stale."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from infra.cost import model
from infra.cost.simulate import Simulation

PAGE = Path(__file__).parent.parent.parent / "docs" / "cost-and-scale.md"
STEPS = (20, 200, 2_000)
FURTHEST = 10_000


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in row) + " |" for row in lines)


def costs() -> str:
    months = {clients: model.monthly(clients) for clients in (*STEPS, FURTHEST)}
    names = months[STEPS[0]]
    rows: list[list[object]] = [[name, *(f"{month[name]:,.2f}" for month in months.values())] for name in names]
    totals = {clients: sum(month.values()) for clients, month in months.items()}
    rows.append(["**A month**", *(f"**{total:,.0f}**" for total in totals.values())])
    rows.append(["A client and month", *(f"{total / clients:,.2f}" for clients, total in totals.items())])
    return table(["US dollars a month", *(f"{clients:,} clients" for clients in months)], rows)


def idle() -> str:
    left = model.idle()
    return table(
        ["Left alone", "US dollars a month"],
        [
            ["`dev`", f"{left['dev']:,.2f}"],
            ["`prod`", f"{left['prod']:,.2f}"],
            ["one instance kept warm", f"{model.warm_instance():,.2f}"],
        ],
    )


def limits() -> str:
    rows = []
    for clients in (*STEPS, FURTHEST):
        tightest = model.limits(clients)
        met = [limit for limit in tightest if limit.share >= 1] or tightest[:1]
        rows += [
            [f"{clients:,}", limit.name, f"{limit.share:.0%}", "met" if limit.share >= 1 else "next", limit.change]
            for limit in met
        ]
    return table(["Clients", "Limit", "Used at the busiest hour", "", "What to change"], rows)


def losses() -> str:
    rows = []
    for clients in (*STEPS, FURTHEST):
        for name, flow in sorted(Simulation(clients).play().items()):
            where, share = flow.worst
            rows.append(
                [
                    f"{clients:,}",
                    name,
                    len(flow.durations),
                    f"{flow.percentile(0.5):.2f} s",
                    f"{flow.percentile(0.95):.2f} s",
                    f"{where}, {share:.0%} of the time" if share >= 0.005 else "nothing worth naming",
                ]
            )
    return table(["Clients", "Flow", "Simulated", "Half within", "95% within", "Most time lost to"], rows)


def prices() -> str:
    rows = [
        [price["unit"], f"{price['price']:.10f}".rstrip("0").rstrip("."), price["kind"], price["seen"], price["source"]]
        for price in model.prices().values()
    ]
    return table(["Per", "US dollars", "How sure", "Seen", "Source"], rows)


TABLES = {"costs": costs, "idle": idle, "limits": limits, "losses": losses, "prices": prices}


def written(page: str) -> str:
    """*page* with every ``<!-- table:NAME -->`` … ``<!-- end -->`` filled in anew."""

    def fill(found: re.Match[str]) -> str:
        return f"<!-- table:{found[1]} -->\n{TABLES[found[1]]()}\n<!-- end -->"

    return re.sub(r"<!-- table:(\w+) -->.*?<!-- end -->", fill, page, flags=re.S)


def main(arguments: list[str]) -> int:
    page = PAGE.read_text()
    fresh = written(page)
    if "--check" in arguments:
        if fresh != page:
            print(f"{PAGE.name} is not what the model says; run `python -m infra.cost`")
        return int(fresh != page)
    PAGE.write_text(fresh)
    print("nothing changed" if fresh == page else f"wrote {PAGE.name}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
