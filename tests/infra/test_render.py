"""What is derived from the manifest for Terraform and API Gateway."""

import re
from collections import Counter

import pytest

from infra import render
from shared import manifest
from shared.config import SECRETS
from shared.manifest import PORTAL, PUBLIC, Function, event, http, schedule, task

SOME = (
    http("leads_list", "GET /api/leads", "GET /api/hub/leads", access=PORTAL, timeout_s=40),
    http("leads_read", "GET /api/leads/{id}", access=PORTAL),
    http("leads_update", "PUT /api/leads/{id}", access=PORTAL),
    task("forms_process", queue="forms"),
    event("emails_track", topic="mail-event"),
    schedule("jobs_sweep", cron="* * * * *"),
)


def operations(document):
    return [operation for path in document["paths"].values() for operation in path.values()]


def test_the_rendered_files_are_fresh():
    """What Terraform reads is what the manifest says; `make render` was not forgotten."""
    for name, content in render.infrastructure().items():
        assert (render.FOLDER / f"{name}.json").read_text() == render.as_text(content), name


def test_functions_is_a_list_of_objects_with_the_promised_fields():
    """Tools that read functions.json find each function's name, trigger and limits, and what its trigger needs."""
    rendered = render.functions(SOME)
    assert [one["name"] for one in rendered] == [function.name for function in SOME]
    fields = {"name", "trigger", "routes", "access", "timeout_s", "memory_mb", "concurrency", "max_instances"}
    assert all(fields <= set(one) for one in rendered)
    by_name = {one["name"]: one for one in rendered}
    assert by_name["forms_process"]["queue"] == "forms"
    assert by_name["emails_track"]["topic"] == "mail-event"
    assert by_name["jobs_sweep"]["cron"] == "* * * * *"
    assert "cron" not in by_name["leads_list"]


def test_services_have_names_that_cloud_run_takes():
    """At most 49 characters, and unique: a name with dashes must not be another's with underscores."""
    names = [render.service(function) for function in manifest.FUNCTIONS]
    assert all(re.fullmatch(r"[a-z]([a-z0-9-]{0,47}[a-z0-9])?", name) for name in names)
    assert [name for name, count in Counter(names).items() if count > 1] == []


def test_area_accounts_have_names_that_google_takes():
    """Account ids are 6 to 30 characters, the prefix included."""
    assert all(6 <= len(f"fn-{area['name']}") <= 30 for area in render.areas(manifest.FUNCTIONS))


def test_every_function_has_its_area_and_only_known_secrets():
    """A function without an account could not be deployed; a secret nobody knows could not be filled."""
    areas = {area["name"]: area for area in render.areas(manifest.FUNCTIONS)}
    assert {function.area for function in manifest.FUNCTIONS} == set(areas)
    assert {secret for area in areas.values() for secret in area["secrets"]} <= set(SECRETS)


def test_an_area_without_an_entry_gets_what_every_function_needs():
    """Areas are listed in the manifest only for what they use beyond the database."""
    chosen = (*SOME, http("new_list", "GET /api/new", access=PORTAL))
    [area] = [one for one in render.areas(chosen) if one["name"] == "new"]
    assert area == {**area, "secrets": list(manifest.COMMON_SECRETS), "queues": [], "topics": [], "google": []}


def test_an_area_may_enqueue_to_the_queues_of_the_functions_it_sends_work_to():
    """Rights are on queues, the manifest speaks of functions."""
    for area in render.areas(manifest.FUNCTIONS):
        declared = manifest.AREAS.get(area["name"])
        expected = {manifest.BY_NAME[name].queue for name in declared.enqueues} if declared else set()
        assert set(area["queues"]) == expected


def test_topics_know_their_listeners_and_how_often_they_may_refuse():
    """Subscriptions are made from this."""
    topics = {topic["name"]: topic for topic in render.topics(SOME)}
    assert topics["mail-event"]["listeners"] == ["emails_track"]
    assert topics["dead-letters"]["listeners"] == []
    assert all(5 <= topic["attempts"] <= 100 for topic in topics.values())  # Pub/Sub's own bounds


def test_the_gateway_serves_every_route_at_its_function():
    """Method and path lead to the function that the manifest names."""
    document = render.gateway(manifest.FUNCTIONS)
    served = {
        f"{method.upper()} {path}": operation["x-google-backend"]
        for path, there in document["paths"].items()
        for method, operation in there.items()
        if method != "options"
    }
    assert served == {
        route: function.name
        for function in manifest.FUNCTIONS
        if function.trigger == "http"
        for route in function.routes
    }


def test_the_gateway_appends_the_path_and_names_its_audience():
    """A back end on an operation drops the path unless told otherwise; a token for another address is refused."""
    for name, backend in render.gateway(SOME)["x-google-api-management"]["backends"].items():
        assert backend["pathTranslation"] == "APPEND_PATH_TO_ADDRESS", name
        assert backend["address"] == backend["jwtAudience"], name
        assert backend["address"] == f"https://{name.replace('_', '-')}-${{project_number}}.${{region}}.run.app"


def test_each_layer_waits_longer_than_the_one_behind_it():
    """The handler's own 504 is seen: Cloud Run waits longer than it, the gateway longer than Cloud Run."""
    backends = render.gateway(SOME)["x-google-api-management"]["backends"]
    for function in render.functions(SOME):
        assert function["timeout_s"] < function["request_timeout_s"]
        if function["trigger"] == "http":
            assert function["request_timeout_s"] < backends[function["name"]]["deadline"]


def test_no_function_may_take_longer_than_who_calls_it_can_wait():
    """Else it would be called again while it still runs: the most that each service allows is enough for each function.

    Sources: https://cloud.google.com/pubsub/docs/lease-management, https://cloud.google.com/tasks/docs/dual-overview,
    https://cloud.google.com/scheduler/docs/reference/rest/v1/projects.locations.jobs (attemptDeadline)
    """
    most_s = {"event": 600, "task": 1800, "schedule": 1800}
    for function in render.functions(manifest.FUNCTIONS):
        if function["trigger"] in most_s:
            assert function["request_timeout_s"] + 10 <= most_s[function["trigger"]], function["name"]


def test_every_path_answers_a_browsers_preflight():
    """OPTIONS reaches a function, once per path, under a name of its own."""
    document = render.gateway(manifest.FUNCTIONS)
    assert all("options" in there for there in document["paths"].values())
    ids = [operation["operationId"] for operation in operations(document)]
    assert len(ids) == len(set(ids))


def test_a_path_of_two_cors_policies_is_refused():
    """One preflight answer cannot speak for an embeddable function and for one of the dashboard."""
    mixed = (
        http("forms_read", "GET /embed/{id}", access=PUBLIC, embeddable=True),
        http("forms_write", "PUT /embed/{id}", access=PORTAL),
    )
    with pytest.raises(ValueError, match=r"^/embed/\{id\} is served"):
        render.gateway(mixed)


def test_the_gateway_gets_no_shapes_and_checks_no_tokens():
    """Access tokens are signed with our own key: the function checks them, the gateway could not."""
    document = render.gateway(manifest.FUNCTIONS)
    assert set(document) == {"openapi", "info", "x-google-api-management", "paths"}
    assert all("security" not in operation for operation in operations(document))


def test_path_parameters_are_whole_segments_and_declared():
    """API Gateway allows no parameter in a part of a segment, and wants each one declared."""
    for path, there in render.gateway(manifest.FUNCTIONS)["paths"].items():
        names = re.findall(r"{(\w+)}", path)
        assert all(
            segment.count("{") in (0, 1) and re.fullmatch(r"{\w+}|[^{}]*", segment) for segment in path.split("/")
        )
        for operation in there.values():
            assert [parameter["name"] for parameter in operation["parameters"]] == names


def test_only_terraforms_own_placeholders_are_in_the_gateways_document():
    """Terraform reads it as a template: any other dollar brace would fail the plan."""
    text = render.as_text(render.gateway(manifest.FUNCTIONS))
    assert set(re.findall(r"[$%]{.*?}", text)) == {"${project_number}", "${region}"}


@pytest.mark.parametrize("size", [330])
def test_the_gateways_document_stays_small(size):
    """Hundreds of functions fit one document with room to spare (a megabyte is a cautious bound)."""
    many = tuple(http(f"leads_read_{n}", f"GET /api/leads/{{id}}/part-{n}", access=PORTAL) for n in range(size))
    assert len(render.as_text(render.gateway(many)).encode()) < 1_000_000


def test_openapi_describes_the_functions_it_is_given():
    """Shapes come from the handlers; only the chosen functions are loaded."""
    chosen = tuple(manifest.BY_NAME[name] for name in ("jobs_check_health", "jobs_check_readiness"))
    document = render.openapi(chosen)
    assert set(document["paths"]) == {"/api/health", "/api/health/ready"}
    assert {one["x-anchor"]["function"] for one in operations(document)} == {function.name for function in chosen}


def test_removing_a_function_removes_just_its_own_lines():
    """The other functions, and what their areas may do, stay as they were."""
    without: tuple[Function, ...] = tuple(function for function in SOME if function.name != "leads_read")
    before, after = render.infrastructure(SOME), render.infrastructure(without)
    assert [one for one in before["functions"] if one not in after["functions"]] == [
        one for one in before["functions"] if one["name"] == "leads_read"
    ]
    for name in ("areas", "queues", "topics"):
        assert before[name] == after[name]
