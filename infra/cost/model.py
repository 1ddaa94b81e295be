"""What a month costs at a number of clients, and which limit is met first. Inputs: ``prices.toml``, ``usage.toml``."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import takewhile
from pathlib import Path
from typing import Any

from cronsim import CronSim

from shared import manifest
from shared.config import SECRETS

HERE = Path(__file__).parent
HOURS = 730
DAYS = HOURS / 24
WARM_S = HOURS * 3600


@lru_cache(maxsize=1)
def prices() -> dict[str, Any]:
    return tomllib.loads((HERE / "prices.toml").read_text())


@lru_cache(maxsize=1)
def usage() -> dict[str, Any]:
    return tomllib.loads((HERE / "usage.toml").read_text())


def dollars(name: str, amount: float) -> float:
    """What *amount* of a priced thing costs beyond what is free."""
    price = prices()[name]
    return float(max(0.0, amount - price["free"]) * price["price"])


@lru_cache(maxsize=64)
def runs_a_day(schedule: str) -> int:
    """How often the manifest's schedule of this name runs."""
    cron = manifest.BY_NAME[schedule].cron
    assert cron is not None, schedule
    midnight = datetime(2026, 1, 1, tzinfo=UTC)
    before = midnight - timedelta(seconds=1)  # what follows it includes midnight
    return sum(1 for _ in takewhile(lambda at: at < midnight + timedelta(days=1), CronSim(cron, before)))


def schedules() -> list[str]:
    return [function.name for function in manifest.by_trigger("schedule")]


def places(function: str) -> int:
    """How many requests all instances of a function serve at once."""
    found = manifest.BY_NAME[function]
    return found.max_instances * found.concurrency


@dataclass(frozen=True, slots=True)
class Month:
    """What happens in a month, by what is billed."""

    clients: int

    def per_client(self, name: str) -> float:
        return float(usage()["per_client"][name]) * self.clients

    @property
    def webhooks(self) -> float:
        return self.per_client("mails") * float(usage()["per_client"]["webhooks_per_mail"])

    @property
    def gateway_calls(self) -> float:
        views = self.per_client("form_views") * float(usage()["per_client"]["requests_per_view"])
        return self.per_client("dashboard_requests") + views + self.per_client("forms") + self.webhooks

    @property
    def tasks(self) -> float:
        return self.per_client("forms") + self.per_client("mails")

    @property
    def scheduled(self) -> float:
        """Runs of schedules."""
        return float(DAYS * sum(runs_a_day(name) for name in schedules()))

    @property
    def polls(self) -> float:
        """Accounts at CallTrackingMetrics that a poll has read."""
        return float(self.clients * DAYS * runs_a_day("leads_poll_ctm"))

    @property
    def reviews_read(self) -> float:
        return self.per_client("locations") * DAYS * runs_a_day("reviews_poll_google")

    @property
    def monday_calls(self) -> float:
        """One for all boards at each poll, and those that read or change one."""
        return float(DAYS * (runs_a_day("monday_poll") + self.per_client("board_reads_per_day")))

    @property
    def events(self) -> float:
        """Messages of Pub/Sub: what polls hand out, calls with words, mail events."""
        boards = self.per_client("board_reads_per_day") * DAYS
        return self.polls + self.reviews_read + boards + self.per_client("calls") + self.webhooks

    @property
    def classifications(self) -> float:
        return self.per_client("calls") + self.per_client("forms") + self.per_client("reviews")

    @property
    def billed_s(self) -> float:
        """Seconds in which an instance is billed; readers of CTM share theirs, where there are several."""
        time = usage()["time"]
        quick = (self.gateway_calls + self.webhooks + self.scheduled + self.reviews_read) * time["request_s"]
        work = (self.per_client("forms") + self.per_client("mails")) * time["task_s"]
        polling = self.polls * time["ctm_s"] / min(self.clients or 1, manifest.BY_NAME["leads_sync"].concurrency)
        return float(quick + work + self.per_client("calls") * time["classify_s"] + polling)

    @property
    def runs(self) -> float:
        return self.gateway_calls + self.tasks + self.events + self.scheduled


def database(clients: int) -> dict[str, Any]:
    """The smallest database of usage.toml that is meant for so many clients."""
    return next(dict(one) for one in usage()["databases"] if clients <= one["up_to_clients"])


def database_cost(size: dict[str, Any], *, disk_gb: float, plus: bool = True, highly_available: bool = True) -> float:
    edition = "sql_plus" if plus else "sql"
    machine = dollars(f"{edition}_vcpu_h", size["vcpu"] * HOURS) + dollars(f"{edition}_gb_h", size["memory_gb"] * HOURS)
    copies = 2 if highly_available else 1
    return copies * (machine + dollars("sql_disk_gb", disk_gb)) + dollars("sql_backup_gb", 1.5 * disk_gb)


def monthly(clients: int) -> dict[str, float]:
    """Dollars a month of a production project, by what is paid for."""
    month, per_client = Month(clients), usage()["per_client"]
    memory = usage()["traffic"]["memory_gib"]
    tokens = usage()["tokens"]
    mails = month.per_client("mails")
    return {
        "Cloud SQL": database_cost(database(clients), disk_gb=max(50, month.per_client("database_gb") * 1.5)),
        "Cloud Run": dollars("run_vcpu_s", month.billed_s)
        + dollars("run_gib_s", month.billed_s * memory)
        + dollars("run_requests", month.runs),
        "API Gateway": dollars("gateway_calls", month.gateway_calls),
        "Cloud Tasks": dollars("tasks_operations", 2 * month.tasks),
        "Pub/Sub": dollars("pubsub_tib", 2 * month.events * 1000 / 2**40),
        "Cloud Scheduler": dollars("scheduler_jobs", len(schedules())),
        "Firestore": dollars("firestore_operations", month.per_client("firestore_operations")),
        "Cloud Storage": dollars("storage_gb", month.per_client("stored_gb")),
        "Secret Manager": dollars("secret_versions", 2 * (len(SECRETS) + 1)),
        "Artifact Registry": dollars("registry_gb", 4),
        "Logging": dollars("logging_gib", month.runs * per_client["log_kb_per_request"] / 2**20),
        "Egress": dollars("egress_gb", month.per_client("egress_gb")),
        "Gemini": dollars("gemini_input_mtok", month.classifications * tokens["input"] / 1e6)
        + dollars("gemini_output_mtok", month.classifications * tokens["output"] / 1e6),
        "Mailgun": dollars("mailgun_plan", 1) + dollars("mailgun_mails", mails),
    }


def idle() -> dict[str, float]:
    """Dollars a month of a project in which nothing happens: the environments of infra/terraform/envs."""
    small = {"vcpu": 1, "memory_gb": 3.75}
    kept = dollars("secret_versions", len(SECRETS) + 1) + dollars("scheduler_jobs", len(schedules()))
    kept += dollars("registry_gb", 4) + dollars("run_vcpu_s", Month(0).billed_s)
    dev = database_cost(small, disk_gb=10, plus=False, highly_available=False) + kept
    return {"dev": dev, "prod": database_cost(database(1), disk_gb=50) + kept}


def warm_instance() -> float:
    """Dollars a month of one instance kept warm and never asked."""
    memory = float(usage()["traffic"]["memory_gib"])
    return dollars("run_idle_vcpu_s", WARM_S * (1 + memory))


@dataclass(frozen=True, slots=True)
class Limit:
    """One thing that can run out. ``share``: used at the busiest hour, 1 is all of it."""

    name: str
    share: float
    change: str


def limits(clients: int) -> list[Limit]:
    """Every limit at *clients*, the tightest first."""
    month, traffic, time = Month(clients), usage()["traffic"], usage()["time"]
    peak_per_s = traffic["peak"] / (traffic["hours_per_month"] * 3600)
    calls_s = month.gateway_calls * peak_per_s
    tasks_s = month.tasks * peak_per_s
    statements_s = (calls_s + month.webhooks * peak_per_s + 3 * tasks_s) * time["statements_per_request"]
    size = database(clients)
    forms, emails = manifest.QUEUES["forms"], manifest.QUEUES["emails"]
    found = [
        Limit(
            "Database CPU",
            statements_s * time["statement_cpu_s"] / (0.7 * size["vcpu"]),
            "the next bigger tier, read replicas for reports",
        ),
        Limit(
            "PostgreSQL connections behind the pooler",
            statements_s * time["statement_s"] / size["server_connections"],
            "more server connections, shorter transactions",
        ),
        Limit(
            "CTM polls within their interval",
            month.polls / (DAYS * 86_400) * time["ctm_s"] / places("leads_sync"),
            "`max_instances` of `leads_sync`",
        ),
        Limit(
            "Queue `forms` at once",
            month.per_client("forms") * peak_per_s * (time["vertex_s"] + time["ctm_s"]) / forms.at_once,
            "`at_once` of the queue in the manifest",
        ),
        Limit(
            "Queue `emails` at once",
            month.per_client("mails") * peak_per_s * time["mailgun_s"] / emails.at_once,
            "`at_once` of the queue in the manifest",
        ),
        Limit(
            "Instances of `leads_classify`",
            month.per_client("calls") * peak_per_s * time["vertex_s"] / places("leads_classify"),
            "`max_instances` in the manifest, then Vertex AI's quota",
        ),
        Limit(
            "Instances of `forms_submit`",
            month.per_client("forms") * peak_per_s * time["request_s"] / places("forms_submit"),
            "`max_instances` in the manifest; the connection budget says how far",
        ),
    ]
    demand = {
        "monday_calls": month.monday_calls / (HOURS * 60),
        "polls": month.polls / (HOURS * 60),
        "classifications": month.classifications * peak_per_s * 60,
        "gateway_calls": 2 * calls_s * 60,
    }
    for quota in usage()["quotas"]:
        allowed = quota["per_minute"] if "per_minute" in quota else quota["per_day"] / (24 * 60)
        found.append(Limit(quota["name"], demand[quota["of"]] / allowed, quota["change"]))
    return sorted(found, key=lambda limit: -limit.share)
