"""The pages for whoever keeps it running: complete, and about what is really there."""

import ast
import importlib.util
import re

import pytest

from infra import render
from infra.cost import model
from infra.image import ROOT
from shared import manifest

DOCS = ROOT / "docs"
RUNBOOKS = DOCS / "operations" / "runbooks"
MONITORING = ROOT / "infra" / "terraform" / "modules" / "monitoring"
PAGES = [*DOCS.glob("*.md"), *DOCS.glob("operations/**/*.md"), *DOCS.glob("decisions/*.md")]


def alerts():
    """The names of all alert policies, read from their source."""
    text = (MONITORING / "alerts.tf").read_text()
    thresholds = text[text.index("thresholds = {") : text.index('"burning" {')]
    goals = re.search(r"goals\s*= \{(.*?)\}", (MONITORING / "main.tf").read_text())
    assert goals is not None
    return (
        set(re.findall(r"^    ([a-z-]+) = \{$", thresholds, re.M))
        | {f"{kind}-errors" for kind in re.findall(r"(\w+) =", goals[1])}
        | {"http-latency"}
        | set(re.findall(r'display_name = "([a-z]+-[a-z-]+)"', text))
    )


def test_every_alert_has_its_page_and_every_page_its_alert():
    """Whoever is woken finds what to do; no page is about an alert that is gone."""
    assert {path.stem for path in RUNBOOKS.glob("*.md")} == alerts()


def test_each_kind_of_trigger_is_promised_and_watched():
    """Errors, latency, waiting messages, dead work, queue age, failed schedules, connections."""
    kinds = {"http-errors", "task-errors", "event-errors", "schedule-errors", "http-latency"}
    kinds |= {"oldest-unacked-message", "dead-work", "queue-age", "schedule-failed", "database-connections"}
    kinds |= {"outbox-unsent", "function-broken"}
    assert kinds <= alerts()


@pytest.mark.parametrize("path", sorted(RUNBOOKS.glob("*.md")), ids=lambda path: path.stem)
def test_a_runbook_says_what_it_means_where_to_look_and_what_to_do(path):
    """The same three parts on every page."""
    text = path.read_text()
    assert text.startswith(f"# {path.stem}\n")
    assert re.findall(r"^## (.*)$", text, re.M) == ["Look", "Do"]


def test_log_events_that_pages_and_metrics_name_are_written_by_the_code():
    """A renamed log event would silently empty a metric and a query."""
    written = set()
    for path in [*(ROOT / "shared").rglob("*.py"), *(ROOT / "functions").rglob("*.py")]:
        written |= set(re.findall(r'log\.(?:info|warning|error)\(\s*"(\w+)"', path.read_text()))
    named = set()
    for path in [*PAGES, *MONITORING.glob("*.tf")]:
        for group in re.findall(r'jsonPayload\.message=\\?"?(\(.*?\)|\w+)', path.read_text()):
            named |= set(re.findall(r"[a-z_]{3,}", group))
    assert named <= written, named - written
    assert {"request", "job", "crash", "parked"} <= named


def test_log_fields_that_metrics_read_are_written_by_the_code():
    """A renamed field would leave a metric's label or value empty."""
    written = set()
    for path in [*(ROOT / "shared").rglob("*.py"), *(ROOT / "functions").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("log."):
                written |= {keyword.arg for keyword in node.keywords}
    read = set(re.findall(r"jsonPayload\.(\w+)", "".join(path.read_text() for path in MONITORING.glob("*.tf"))))
    assert {"function", "status", "duration_ms", "target"} <= read
    assert read - {"message"} <= written


def test_a_schedule_that_fails_with_all_its_repeats_is_noticed():
    """Its attempts, with deadlines and pauses between, fall into one window of the alert, and exceed what it allows."""
    text = (MONITORING / "alerts.tf").read_text()
    [window_s, above] = [
        int(re.search(rf"schedule-failed = {{.*?{field}\s*= (\d+)", text, re.S)[1]) for field in ("window_s", "above")
    ]
    repeats, pauses_s = 3, 10 + 20 + 40
    job = (ROOT / "infra/terraform/modules/schedule/main.tf").read_text()
    assert f"retry_count          = {repeats}" in job
    assert above < repeats + 1
    for function in manifest.by_trigger("schedule"):
        deadline_s = render.functions([function])[0]["request_timeout_s"] + 10
        assert (repeats + 1) * deadline_s + pauses_s <= window_s, function.name


def test_links_between_pages_lead_somewhere():
    """Also the sections they point to."""
    for page in PAGES:
        for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
            if "://" in target:
                continue
            name, _, section = target.partition("#")
            path = (page.parent / name).resolve() if name else page
            assert path.exists(), f"{page.name} links to {target}"
            if section:
                headings = re.findall(r"^#+ (.*)$", path.read_text(), re.M)
                slugs = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
                assert section in slugs, f"{page.name} links to {target}"


def test_commands_that_pages_name_exist():
    """`python -m …` in a page is a module of the project."""
    for page in PAGES:
        for module in re.findall(r"python -m\s+((?:infra|shared|emulators)[\w.]*)", page.read_text()):
            assert importlib.util.find_spec(module.rstrip(".")) is not None, f"{page.name}: {module}"


def test_the_deployment_page_names_what_idling_costs():
    """The figures of the first page a newcomer reads are the model's."""
    text = " ".join((DOCS / "deploy.md").read_text().split())
    idle = model.idle()
    assert f"about {idle['dev']:.0f} US dollars a month for `dev`, {idle['prod']:.0f} for `prod`" in text
