"""The smoke test of a deployment: it passes on a sound one and names what is wrong with another."""

import httpx
import pytest

from infra import smoke

FUNCTIONS = [
    {"name": "jobs_check_health", "service": "jobs-check-health", "trigger": "http", "access": "public",
     "routes": ["GET /api/health"]},
    {"name": "jobs_list_dead", "service": "jobs-list-dead", "trigger": "http", "access": "super",
     "routes": ["GET /api/jobs/dead"]},
    {"name": "leads_add_note", "service": "leads-add-note", "trigger": "http", "access": "portal",
     "routes": ["POST /api/leads/{id}/notes"]},
    {"name": "forms_process", "service": "forms-process", "trigger": "task", "access": "internal", "routes": []},
]  # fmt: skip
STRANGER = httpx.Response(401, json={"message": "Please sign in.", "code": "NO_TOKEN"})


def sound(request):
    """A gateway and functions as they should be."""
    path = request.url.path
    if request.url.host.endswith(".run.app"):
        return httpx.Response(404 if request.url.host.startswith("forms-process") else 403)
    if path == "/api/health":
        return httpx.Response(204) if request.method == "OPTIONS" else httpx.Response(200, json={"ok": True})
    if path == "/api/health/ready":
        return httpx.Response(200, json={"ok": True})
    if path == "/no/such/path":
        return httpx.Response(404)
    return httpx.Response(204) if request.method == "OPTIONS" else STRANGER


def but(**answers):
    """As ``sound``, with other answers for some "METHOD path" or host."""

    def answer(request):
        for key in (f"{request.method} {request.url.path}", request.url.host):
            if key in answers:
                given = answers[key]
                if isinstance(given, Exception):
                    raise given
                return given
        return sound(request)

    return answer


async def findings(answer):
    async with httpx.AsyncClient(base_url="https://gateway.test", transport=httpx.MockTransport(answer)) as client:
        return await smoke.check_gateway(client, FUNCTIONS) + await smoke.check_doors(
            client, FUNCTIONS, project_number="1", region="r"
        )


async def test_a_sound_deployment_has_no_findings():
    """Every function is reached, closed to strangers, and shut at its own address."""
    assert await findings(sound) == []


@pytest.mark.parametrize(
    ("key", "answer", "finding"),
    [
        ("GET /api/health", httpx.Response(200, json={"ok": False}), "does not say ok"),
        ("GET /api/health/ready", httpx.Response(503), "readiness: 503 instead of 200"),
        ("GET /no/such/path", httpx.Response(200), "an unknown path: 200 instead of 404"),
        ("OPTIONS /api/jobs/dead", httpx.Response(405), "jobs_list_dead: preflight of /api/jobs/dead"),
        ("GET /api/jobs/dead", httpx.Response(200, json={"work": []}), "jobs_list_dead: a stranger's GET"),
        ("GET /api/jobs/dead", httpx.Response(401, json={"error": "?"}), "not in our error shape"),
        (f"POST /api/leads/{smoke.NO_ID}/notes", httpx.Response(404), "leads_add_note: a stranger's POST"),
        ("GET /api/health", httpx.ConnectError("no"), "health: ConnectError"),
        ("forms-process-1.r.run.app", httpx.Response(200), "forms_process: answers past the gateway (200)"),
        ("jobs-list-dead-1.r.run.app", httpx.Response(401, json={}), None),
    ],
)
async def test_what_is_wrong_is_named(key, answer, finding):
    """Each thing that can be wrong with a deployment is found, with the function's name."""
    found = await findings(but(**{key: answer}))
    if finding is None:
        assert found == []
    else:
        assert len(found) == 1
        assert finding in found[0]


def service(name, image="the-image", ready="True"):
    return {
        "metadata": {"name": name},
        "spec": {"template": {"spec": {"containers": [{"image": image}]}}},
        "status": {"conditions": [{"type": "Ready", "status": ready}]},
    }


def test_a_skipped_or_stale_service_is_found():
    """A deployment that left one function out, or on its old image, did not succeed."""
    live = [
        service("jobs-check-health"),
        service("jobs-list-dead", image="older"),
        service("leads-add-note", ready="False"),
    ]
    assert smoke.check_services(live, FUNCTIONS, "the-image") == [
        "jobs_list_dead runs older",
        "leads_add_note is not ready",
        "forms_process is not deployed",
    ]
    assert smoke.check_services([service(one["service"]) for one in FUNCTIONS], FUNCTIONS, "the-image") == []
