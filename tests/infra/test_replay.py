"""Replaying dead work through the API."""

import json

import httpx
import pytest

from infra import replay_dead_work


class Api:
    """Stands for the two endpoints; pages as they do."""

    def __init__(self, count):
        self.work = {
            str(number): {
                "id": str(number),
                "handler": ("forms_process", "emails_send")[number % 2],
                "reason": f"gave up: {number % 3}",
            }
            for number in range(count)
        }
        self.sent = []

    def __call__(self, request):
        assert request.headers["authorization"] == "Bearer the-token"
        if request.method == "GET":
            limit, offset = (int(request.url.params[name]) for name in ("limit", "offset"))
            return httpx.Response(
                200, json={"work": list(self.work.values())[offset : offset + limit], "total": len(self.work)}
            )
        work_id = request.url.path.split("/")[-2]
        if self.work.pop(work_id, None) is None:
            return httpx.Response(404, json={"message": "", "code": "NOT_FOUND"})
        self.sent.append(work_id)
        return httpx.Response(200, json={"resent": True})


@pytest.fixture(autouse=True)
def token(monkeypatch):
    monkeypatch.setenv("ANCHOR_TOKEN", "the-token")


def run(api, *arguments):
    return replay_dead_work.main(["https://gateway.test", *arguments], transport=httpx.MockTransport(api))


def test_listing_sends_nothing(capsys):
    """Without --send people only read."""
    api = Api(5)
    assert run(api) == 0
    assert api.sent == []
    assert "5 pieces of dead work" in capsys.readouterr().out


def test_every_page_is_sent_once():
    """Sending shortens the list that is being read; nothing is skipped for it."""
    api = Api(450)
    assert run(api, "--send") == 0
    assert sorted(map(int, api.sent)) == list(range(450))


def test_only_what_was_chosen_is_sent():
    """By function, and by a part of the reason."""
    api = Api(12)
    assert run(api, "--handler", "emails_send", "--reason", "UP: 1", "--send") == 0
    assert sorted(api.sent) == ["1", "7"]


def test_work_that_somebody_else_revived_is_no_error(capsys):
    """Two people may press the button at once."""
    api = Api(2)

    def racing(request):
        if request.method == "POST":
            api.work.pop("0", None)
        return api(request)

    assert run(racing, "--send") == 0
    assert "1 of 2 sent again" in capsys.readouterr().out


def test_without_a_token_nothing_is_asked(monkeypatch, capsys):
    """It says what is missing instead of failing with a 401."""
    monkeypatch.delenv("ANCHOR_TOKEN")
    assert run(Api(1)) == 2
    assert "ANCHOR_TOKEN" in capsys.readouterr().err


def test_a_refusal_stops_it():
    """A token without the right is an error, not an empty list."""
    with pytest.raises(httpx.HTTPStatusError):
        run(lambda request: httpx.Response(403, content=json.dumps({"message": "", "code": "FORBIDDEN"})))
