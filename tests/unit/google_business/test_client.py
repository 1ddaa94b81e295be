"""How we speak with Google Business Profile."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import Reconnect, Rejected, TryLater, VendorError
from shared.integrations.google_business.client import Bases, GoogleBusiness
from shared.integrations.google_business.records import read_page, read_review

LOCATION = "accounts/1/locations/2"
REVIEW = {
    "name": f"{LOCATION}/reviews/3",
    "reviewId": "3",
    "reviewer": {"displayName": "Ada", "profilePhotoUrl": "https://p.test/a"},
    "starRating": "FOUR",
    "comment": "Nice",
    "createTime": "2026-11-01T10:00:00.123456789Z",
    "updateTime": "2026-11-02T10:00:00Z",
    "reviewReply": {"comment": "Thanks", "updateTime": "2026-11-03T10:00:00Z"},
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=10,
)


class Google:
    """Answers from a list, and remembers what it was asked."""

    def __init__(self, *answers: Any):
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, httpx.Response) else httpx.Response(200, json=answer)


def client(google: Google) -> GoogleBusiness:
    http = httpx.AsyncClient(transport=httpx.MockTransport(google))
    return GoogleBusiness(http, Bases("https://a.test", "https://i.test", "https://r.test"), "the-token")


async def test_reviews_are_asked_for_by_page() -> None:
    """Fifty a page, changed last first, with the person's token, at the host of reviews."""
    google = Google({"reviews": [REVIEW], "totalReviewCount": 51, "nextPageToken": "p2"}, {})
    one = await client(google).reviews(LOCATION)
    two = await client(google).reviews(LOCATION, "p2")
    assert (one.total, one.next_token, [review.rating for review in one.reviews]) == (51, "p2", [4])
    assert (two.reviews, two.next_token) == ([], "")
    first, second = google.requests
    assert str(first.url).startswith(f"https://r.test/v4/{LOCATION}/reviews?pageSize=50&orderBy=updateTime")
    assert (first.headers["authorization"], second.url.params["pageToken"]) == ("Bearer the-token", "p2")


async def test_accounts_and_locations_are_all_of_them() -> None:
    """Every page, at their own hosts, locations with their read mask."""
    google = Google({"accounts": [{"name": "accounts/1", "accountName": "A"}], "nextPageToken": "n"}, {})
    assert [one.title for one in await client(google).accounts()] == ["A"]
    assert [request.url.host for request in google.requests] == ["a.test", "a.test"]
    place = {"name": "locations/2", "title": "L", "metadata": {"newReviewUri": "https://g.test/r"}}
    google = Google({"locations": [place]})
    [found] = await client(google).locations("accounts/1")
    assert (found.review_url, found.raw) == ("https://g.test/r", place)
    assert "metadata" in google.requests[0].url.params["readMask"]


async def test_a_listing_that_never_ends_is_left() -> None:
    """Tokens that lead in a circle are no endless loop."""
    http = httpx.AsyncClient(transport=httpx.MockTransport(lambda _: httpx.Response(200, json={"nextPageToken": "n"})))
    with pytest.raises(TryLater):
        await GoogleBusiness(http, Bases("https://a.test", "", ""), "t").accounts()


async def test_a_reply_is_put_and_deleted() -> None:
    """PUT with the comment; DELETE, which also takes that there was none."""
    google = Google({"comment": "Hi"}, {}, httpx.Response(404))
    await client(google).reply(REVIEW["name"], "Hi")
    assert (await client(google).delete_reply(REVIEW["name"]), await client(google).delete_reply("x")) == (True, False)
    put = google.requests[0]
    assert (put.method, put.url.path, json.loads(put.content)) == (
        "PUT",
        f"/v4/{REVIEW['name']}/reply",
        {"comment": "Hi"},
    )


async def test_a_review_that_is_gone_is_none() -> None:
    """404 is an answer here, not an error."""
    assert await client(Google(httpx.Response(404))).review(REVIEW["name"]) is None


QUOTA = {"error": {"code": 403, "errors": [{"reason": "rateLimitExceeded"}]}}


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (httpx.Response(401), Reconnect),
        (httpx.Response(403), Reconnect),
        (httpx.Response(403, json=QUOTA), TryLater),
        (httpx.Response(400), Rejected),
        (httpx.Response(404), Rejected),
        (httpx.Response(429, headers={"Retry-After": "7"}), TryLater),
        (httpx.Response(500), TryLater),
        (httpx.Response(503), TryLater),
        (httpx.Response(200, text="<html>"), TryLater),
        (httpx.ReadTimeout("late"), TryLater),
        (httpx.ConnectError("gone"), TryLater),
    ],
)
async def test_failures_say_what_to_do(answer: Any, kind: type[VendorError]) -> None:
    """By status, never with the body; a wait that Google names is kept."""
    with pytest.raises(kind) as caught:
        await client(Google(answer)).reviews(LOCATION)
    assert "html" not in str(caught.value)
    if isinstance(answer, httpx.Response) and answer.status_code == 429:
        assert caught.value.retry_after_s == 7


async def test_names_lead_nowhere_else() -> None:
    """Dots and slashes in a name that Google gave stay inside its path."""
    google = Google({})
    await client(google).reviews("../../accounts/1/locations/2?x=")
    assert google.requests[0].url.raw_path.startswith(b"/v4/accounts/1/locations/2%3Fx%3D/reviews")


def test_a_review_is_read_whole() -> None:
    """Each field, nine digits of a second included."""
    read = read_review(REVIEW)
    assert read is not None
    assert (read.rating, read.reviewer, read.text, read.reply) == (4, "Ada", "Nice", "Thanks")
    assert (read.created_at.year, read.created_at.microsecond, read.raw) == (2026, 123456, REVIEW)


@given(st.fixed_dictionaries({}, optional={name: JSON for name in REVIEW}))
def test_any_review_is_read_or_left(told: dict[str, Any]) -> None:
    """Whatever Google sends, no crash; what is read has a name, a time and a rating from 0 to 5."""
    page = read_page({"reviews": [told], "totalReviewCount": told})
    assert len(page.reviews) + page.unreadable == 1
    assert all(review.name and 0 <= review.rating <= 5 for review in page.reviews)


def test_numbers_that_are_none_are_left_out() -> None:
    """PostgreSQL keeps no NaN in JSON: it would stop the whole page for ever."""
    read = read_review({**REVIEW, "odd": [float("nan"), float("inf"), 1.5]})
    assert read is not None
    assert read.raw["odd"] == [None, None, 1.5]
