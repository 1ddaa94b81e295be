"""Plans of the real Terraform configuration. Skipped where there is no Terraform, or no way to its providers.

``TERRAFORM`` names another binary. A plan from nothing asks Google for nothing: no credentials are needed.
"""

import json
import os
import re
import shutil
import subprocess

import pytest

from infra import render
from shared import manifest
from shared.config import SECRETS, Settings

TERRAFORM = os.environ.get("TERRAFORM", "terraform")
IMAGE = "us-central1-docker.pkg.dev/anchor-test/anchor/functions@sha256:" + "a" * 64
VARIABLES = {
    "project_id": "anchor-test",
    "project_number": "123456789012",
    "notification_email": "operations@example.com",
    "image": IMAGE,
}
FRAMEWORK = {"FUNCTION_TARGET", "FUNCTION_USE_ASGI", "DATABASE_URL"}
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def terraform(folder, *arguments):
    env = {**os.environ, "GOOGLE_OAUTH_ACCESS_TOKEN": "none", "TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1"}
    return subprocess.run(
        [TERRAFORM, f"-chdir={folder}", *arguments], env=env, capture_output=True, text=True, check=False, timeout=280
    )


@pytest.fixture(scope="module")
def configuration(tmp_path_factory):
    """A copy of infra/terraform whose environments can be planned without a bucket for their state."""
    if shutil.which(TERRAFORM) is None:
        pytest.skip("terraform is not installed")
    folder = tmp_path_factory.mktemp("terraform") / "terraform"
    shutil.copytree(render.FOLDER, folder, symlinks=True, ignore=shutil.ignore_patterns(".terraform"))
    for name in ("dev", "prod"):
        (folder / "envs" / name / "backend_override.tf").write_text('terraform {\n  backend "local" {}\n}\n')
    ready = terraform(folder / "envs" / "dev", "init", "-input=false", "-no-color")
    if ready.returncode:
        pytest.skip(f"the providers cannot be had: {ready.stderr.strip()[-200:]}")
    terraform(folder / "envs" / "prod", "init", "-input=false")
    return folder


@pytest.fixture(scope="module")
def planned(configuration, tmp_path_factory):
    """Plan an environment; the resources to create, by address. ``functions`` replaces the manifest's."""

    def plan(environment="dev", functions=manifest.FUNCTIONS, **more):
        place = tmp_path_factory.mktemp("plan")
        for name, content in render.infrastructure(functions).items():
            (place / f"{name}.json").write_text(render.as_text(content))
        given = {**VARIABLES, "rendered": str(place), **more}
        variables = [f"-var={name}={value}" for name, value in given.items()]
        folder = configuration / "envs" / environment
        made = terraform(folder, "plan", "-input=false", f"-out={place}/plan", *variables)
        assert made.returncode == 0, made.stdout + made.stderr
        shown = terraform(folder, "show", "-json", f"{place}/plan")
        assert shown.returncode == 0, shown.stderr
        changes = json.loads(shown.stdout)["resource_changes"]
        return {one["address"]: one["change"]["after"] for one in changes if one["change"]["actions"] == ["create"]}

    return plan


@pytest.fixture(scope="module")
def dev(planned):
    return planned("dev")


@pytest.fixture(scope="module")
def prod(planned):
    return planned("prod")


def of(resources, kind):
    return {address: values for address, values in resources.items() if f".{kind}." in address}


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_each_manifest_entry_is_one_service(environment, request):
    """As the manifest limits it, and no service besides."""
    services = of(request.getfixturevalue(environment), "google_cloud_run_v2_service").values()
    by_name = {service["name"]: service for service in services}
    assert set(by_name) == {render.service(function) for function in manifest.FUNCTIONS}
    for function in manifest.FUNCTIONS:
        template = by_name[render.service(function)]["template"][0]
        [container] = template["containers"]
        values = {env["name"]: env.get("value") for env in container["env"]}
        assert values["FUNCTION_TARGET"] == function.name
        assert container["image"] == IMAGE
        assert container["resources"][0]["limits"]["memory"] == f"{function.memory_mb}Mi"
        assert template["max_instance_request_concurrency"] == function.concurrency
        assert template["scaling"][0]["max_instance_count"] <= function.max_instances


def test_functions_get_only_settings_that_exist(prod):
    """A variable that config.py does not read is a misspelling that nobody would notice."""
    known = {name.upper() for name in Settings.__dataclass_fields__} | set(SECRETS) | FRAMEWORK
    for service in of(prod, "google_cloud_run_v2_service").values():
        given = [env["name"] for env in service["template"][0]["containers"][0]["env"]]
        assert set(given) <= known
        assert len(given) == len(set(given))


def test_each_function_mounts_its_areas_secrets_and_no_other(prod):
    """What an area is not given, none of its functions can read."""
    for service in of(prod, "google_cloud_run_v2_service").values():
        mounted = {env["name"] for env in service["template"][0]["containers"][0]["env"] if env.get("value_source")}
        area = manifest.AREAS.get(service["labels"]["area"])
        assert mounted == {"DATABASE_URL", *manifest.COMMON_SECRETS, *(area.secrets if area else ())}


def test_nothing_is_open_to_everybody(dev, prod):
    """No binding of any kind names all users, no database or bucket is public, no check of callers is switched off."""
    for resources in (dev, prod):
        text = json.dumps(resources)
        assert "allUsers" not in text
        assert "allAuthenticatedUsers" not in text
        [database] = of(resources, "google_sql_database_instance").values()
        assert database["settings"][0]["ip_configuration"][0]["ipv4_enabled"] is False
        [bucket] = of(resources, "google_storage_bucket").values()
        assert bucket["public_access_prevention"] == "enforced"
        assert not any(one["invoker_iam_disabled"] for one in of(resources, "google_cloud_run_v2_service").values())


def test_each_function_has_one_caller(prod):
    """The gateway calls HTTP functions, the invoker calls work, and nobody calls both."""
    bindings = of(prod, "google_cloud_run_v2_service_iam_member").values()
    callers = {
        binding["name"]: binding["member"].removeprefix("serviceAccount:").partition("@")[0] for binding in bindings
    }
    assert len(bindings) == len(callers)
    assert callers == {
        render.service(function): "gateway" if function.trigger == "http" else "invoker"
        for function in manifest.FUNCTIONS
    }


def test_accounts_of_functions_have_only_the_manifests_rights(prod):
    """The whole table of what each area's account may do, against the manifest."""
    granted = set()
    for address, values in prod.items():
        found = re.search(r'module\.area\["(\w+)"\]\.(google_\w+_iam_member)\.', address)
        if found and "lends_invoker" not in address:
            thing = values.get("secret_id") or values.get("topic") or values.get("bucket") or values.get("project")
            granted.add((found[1], values.get("name") or thing))
    wanted = set()
    for area in render.areas(manifest.FUNCTIONS):
        names = ["DATABASE_URL", *area["secrets"], *area["queues"], *area["topics"]]
        wanted |= {(area["name"], name) for name in names}
        wanted |= {(area["name"], "anchor-test-uploads") for one in area["google"] if one == "storage"}
        wanted |= {(area["name"], "anchor-test") for one in area["google"] if one != "storage"}
    assert granted == wanted


def test_production_keeps_what_it_holds(prod):
    """Deleting needs two decisions; any second of two weeks can be had back; a zone may fail."""
    [database] = of(prod, "google_sql_database_instance").values()
    [settings] = database["settings"]
    [backups] = settings["backup_configuration"]
    assert database["deletion_protection"] is True
    assert settings["deletion_protection_enabled"] is True
    assert settings["availability_type"] == "REGIONAL"
    assert backups["point_in_time_recovery_enabled"] is True
    assert backups["transaction_log_retention_days"] >= 7
    assert settings["connection_pool_config"][0]["connection_pooling_enabled"] is True


@pytest.fixture(scope="module")
def pipeline(planned):
    """What the pipeline adds to an environment that releases through it."""
    given = {
        "repository": "projects/anchor-test/locations/us-central1/connections/github/repositories/anchor-functions",
        "branch": "main",
        "state_bucket": "anchor-test-state",
        "approvers": ["group:releases@example.com"],
    }
    resources = planned("dev", pipeline=json.dumps(given))
    return {address: values for address, values in resources.items() if ".module.pipeline[0]." in address}


def rights(resources, account):
    """Every role that is bound to *account*, with the thing it is bound on and its condition."""
    return {
        (
            values["role"],
            values.get("bucket") or values.get("topic") or values.get("repository") or "project",
            values["condition"][0]["expression"] if values.get("condition") else "",
        )
        for values in resources.values()
        if str(values.get("member", "")).startswith(f"serviceAccount:{account}@")
    }


RELEASES_ONLY = 'resource.name.startsWith("projects/_/buckets/anchor-test-state/objects/releases/")'


def test_whoever_can_push_cannot_reach_what_runs(pipeline):
    """The builder reads, pushes images, adds releases and asks; it starts no build and acts as nobody."""
    assert rights(pipeline, "builder") == {
        ("roles/viewer", "project", ""),
        ("roles/iam.securityReviewer", "project", ""),
        ("roles/logging.logWriter", "project", ""),
        ("roles/artifactregistry.writer", "anchor", ""),
        ("roles/storage.objectViewer", "anchor-test-state", ""),
        ("roles/storage.objectCreator", "anchor-test-state", RELEASES_ONLY),
        ("roles/pubsub.publisher", "releases", ""),
    }
    assert of(pipeline, "google_service_account_iam_member") == {}


def test_a_release_waits_for_somebody_who_can_read_its_plan(pipeline):
    """Only the release's trigger is the deployer's, and it asks; its approvers see releases and nothing else."""
    triggers = {values["name"]: values for values in of(pipeline, "google_cloudbuild_trigger").values()}
    assert set(triggers) == {"check", "release"}
    assert triggers["release"]["approval_config"][0]["approval_required"] is True
    assert triggers["release"]["substitutions"]["_RELEASE"] == "$(body.message.attributes.release)"
    approvers = {
        (values["role"], values["condition"][0]["expression"] if values.get("condition") else "")
        for values in pipeline.values()
        if values.get("member") == "group:releases@example.com"
    }
    assert approvers == {("roles/cloudbuild.builds.approver", ""), ("roles/storage.objectViewer", RELEASES_ONLY)}


def test_a_deleted_file_is_gone_after_a_month(prod):
    """Its last version has no newer one: a rule that counts newer versions would keep it for ever."""
    [bucket] = of(prod, "google_storage_bucket").values()
    conditions = [rule["condition"][0] for rule in bucket["lifecycle_rule"] if rule["action"][0]["type"] == "Delete"]
    month = [one for one in conditions if one.get("days_since_noncurrent_time") == 30]
    assert month
    assert all(not one.get("num_newer_versions") for one in month)


def test_a_restored_database_can_take_the_instances_place(planned):
    """Under the name it was restored to; nothing else names the instance."""
    resources = planned("dev", database_instance="anchor-restored")
    [database] = of(resources, "google_sql_database_instance").values()
    assert database["name"] == "anchor-restored"
    watched = json.dumps(of(resources, "google_monitoring_alert_policy"))
    assert "anchor-test:anchor-restored" in watched
    assert 'anchor-test:anchor\\"' not in watched


def touched(before, after):
    """Addresses that only one of two plans has, or that both have with other values."""
    return {address for address in before.keys() | after.keys() if before.get(address) != after.get(address)}


def quiet(addresses):
    """Without what lists or sums over all functions: the gateway's document, the budget, the logs' filters."""
    shared = (
        "google_api_gateway_api_config",
        "terraform_data.connection_budget",
        "google_logging_metric",
        "google_monitoring",
    )
    return {address for address in addresses if not any(kind in address for kind in shared)}


@pytest.mark.parametrize("name", ["forms_describe", "jobs_sweep_outbox", "emails_track", "forms_process"])
def test_removing_a_function_changes_exactly_its_resources(planned, dev, name):
    """An endpoint, a schedule, a listener, a task: gone with what is theirs, and nothing else moves."""
    function = manifest.BY_NAME[name]
    without = planned("dev", tuple(one for one in manifest.FUNCTIONS if one.name != name))
    own = {
        f'module.anchor.module.function["{name}"].google_cloud_run_v2_service.this',
        f'module.anchor.module.function["{name}"].google_cloud_run_v2_service_iam_member.invoker',
    }
    if function.trigger == "schedule":
        own.add(f'module.anchor.module.schedule["{name}"].google_cloud_scheduler_job.this')
    if function.topic:
        place = f'module.anchor.module.topic["{function.topic}"]'
        own.add(f'{place}.google_pubsub_subscription.listener["{name}"]')
        own.add(f'{place}.google_pubsub_subscription_iam_member.moves_dead["{name}"]')
    assert quiet(touched(dev, without)) == own
    assert own <= dev.keys()


def test_adding_a_function_changes_exactly_its_resources(planned, dev):
    """A new endpoint of an area that is there: one service, one caller."""
    added = manifest.http("jobs_count_dead", "GET /api/jobs/dead/count", access=manifest.SUPER)
    assert quiet(touched(dev, planned("dev", (*manifest.FUNCTIONS, added)))) == {
        'module.anchor.module.function["jobs_count_dead"].google_cloud_run_v2_service.this',
        'module.anchor.module.function["jobs_count_dead"].google_cloud_run_v2_service_iam_member.invoker',
    }


# The operations that the dashboard calls, each a function, and the work behind them, with room for what is added while
# the last of them are built.
WHOLE_API = 350


def whole_api():
    """The manifest, filled up with endpoints of usual limits to the size that the whole API will have."""
    missing = max(0, WHOLE_API - len(manifest.FUNCTIONS))
    planned = (
        manifest.http(f"jobs_read_{number}", f"GET /api/many/{number}", access=manifest.SUPER)
        for number in range(missing)
    )
    return (*manifest.FUNCTIONS, *planned)


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_the_whole_api_fits_each_environment(planned, environment):
    """Connections, addresses of the network and services are enough for every function at its usual limits."""
    functions = whole_api()
    services = of(planned(environment, functions), "google_cloud_run_v2_service")
    assert len(services) == len(functions) >= WHOLE_API
