"""Google: sign-in (OpenID Connect) and Business Profile, that is accounts, locations, reviews and replies.

Shapes: developers.google.com/identity/openid-connect, /my-business/reference/{accountmanagement,businessinformation}
(v1) and /my-business/reference/rest/v4/accounts.locations.reviews. One port speaks for all of Google's hosts.
"""

from __future__ import annotations

import base64
import itertools
import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from emulators.faults import Faults
from emulators.vendors.oauth import Dialect, Grant, OAuthVendor, Person
from emulators.vendors.vendor import Refused, fields, json_object, whole_number

BUSINESS = "https://www.googleapis.com/auth/business.manage"
STARS = ("ONE", "TWO", "THREE", "FOUR", "FIVE")
KEY_ID = "local-1"
LONGEST_REPLY = 4096  # bytes
WORDS = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND"}
WORDS |= {409: "ABORTED", 429: "RESOURCE_EXHAUSTED", 500: "INTERNAL", 503: "UNAVAILABLE"}

PEOPLE = (
    Person("110000000000000000001", "owner@brightsmile.test", "Bright Smile Owner"),
    Person("110000000000000000002", "admin@anchor.test", "Anchor Admin"),
    Person("110000000000000000003", "unverified@example.test", "Unverified Person", email_verified=False),
)


class Google(OAuthVendor):
    """Sign-in for everybody in ``people``; Business Profile for those whose consent covers it."""

    name = "google"
    version = "v1/v4"
    dialect = Dialect(authorize_path="/o/oauth2/v2/auth", token_path="/token")

    def __init__(
        self,
        faults: Faults,
        *,
        client_id: str = "google-client-local.apps.googleusercontent.com",
        client_secret: str = "google-secret-local",
        people: tuple[Person, ...] = PEOPLE,
        port: int = 0,
    ):
        super().__init__(faults, client_id=client_id, client_secret=client_secret, people=people, port=port)
        self.accounts: dict[str, dict[str, Any]] = {}
        self.locations: dict[str, dict[str, Any]] = {}  # by "accounts/…/locations/…"
        self.reviews: dict[str, dict[str, Any]] = {}  # by full review name
        self._ids = itertools.count(1)
        self._consented: set[str] = set()

    @cached_property
    def _key(self) -> rsa.RSAPrivateKey:
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def settings(self) -> dict[str, str]:
        return {
            "GOOGLE_ACCOUNTS_BASE": self.url,
            "GOOGLE_OAUTH_BASE": self.url,
            "GOOGLE_APIS_BASE": self.url,
            "GOOGLE_BUSINESS_ACCOUNTS_BASE": self.url,
            "GOOGLE_BUSINESS_INFORMATION_BASE": self.url,
            "GOOGLE_BUSINESS_REVIEWS_BASE": self.url,
            "GOOGLE_OAUTH_CLIENT_ID": self.client_id,
        }

    def routes(self) -> list[BaseRoute]:
        location = "/v4/accounts/{account}/locations/{location}"
        return [
            *self.oauth_routes(),
            Route("/revoke", self._revoke, methods=["POST"]),
            Route("/.well-known/openid-configuration", self._discovery),
            Route("/oauth2/v3/certs", self._certs),
            Route("/oauth2/v3/userinfo", self._userinfo, methods=["GET", "POST"]),
            Route("/v1/userinfo", self._userinfo, methods=["GET", "POST"]),
            Route("/v1/accounts", self._list_accounts),
            Route("/v1/accounts/{account}/locations", self._list_locations),
            Route("/v1/locations/{location}", self._get_location),
            Route(f"{location}/reviews", self._list_reviews),
            Route(f"{location}/reviews/{{review}}", self._get_review),
            Route(f"{location}/reviews/{{review}}/reply", self._reply, methods=["PUT"]),
            Route(f"{location}/reviews/{{review}}/reply", self._delete_reply, methods=["DELETE"]),
        ]

    def error_response(self, status: int, message: str) -> Response:
        word = WORDS.get(status, "UNKNOWN")
        return JSONResponse({"error": {"code": status, "message": message, "status": word}}, status)

    # -- what Google holds --------------------------------------------------------------------------------------------

    def add_account(self, number: str, name: str, *, owner: Person | None = None) -> dict[str, Any]:
        """A Business Profile account, seen by its owner only (by everybody in ``people`` when nobody is named)."""
        self.accounts[number] = {
            "owner": owner.id if owner else None,
            "shown": {
                "name": f"accounts/{number}",
                "accountName": name,
                "type": "LOCATION_GROUP",
                "role": "PRIMARY_OWNER",
                "verificationState": "VERIFIED",
                "vettedState": "NOT_VETTED",
            },
        }
        return self.accounts[number]

    def add_location(self, account: str, number: str, title: str, **more: Any) -> dict[str, Any]:
        place = f"ChIJlocal{number}"
        location = {
            "name": f"locations/{number}",
            "title": title,
            "storefrontAddress": {
                "regionCode": "US",
                "languageCode": "en",
                "postalCode": "94105",
                "administrativeArea": "CA",
                "locality": "San Francisco",
                "addressLines": ["1 Main St"],
            },
            "websiteUri": "https://example.com/",
            "metadata": {
                "placeId": place,
                "mapsUri": f"https://maps.google.com/maps?cid={number}",
                "newReviewUri": f"https://search.google.com/local/writereview?placeid={place}",
                "canModifyServiceList": True,
            },
            **more,
        }
        self.locations[f"accounts/{account}/locations/{number}"] = location
        return location

    def add_review(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """A review, as its author would write it.

        ``given``: location ("accounts/1/locations/2", default: the first one), rating 1-5, comment, reviewer (name),
        reviewId, createTime, reviewReply. Raises Refused 400 when it is no review, 404 for an unknown location.
        """
        parent = given.get("location") or next(iter(self.locations), "")
        if parent not in self.locations:
            raise Refused(404, "location: unknown")
        rating = given.get("rating", 5)
        if not isinstance(rating, int) or isinstance(rating, bool) or not 1 <= rating <= 5:
            raise Refused(400, "rating must be a whole number from 1 to 5")
        review_id = str(given.get("reviewId") or f"local-review-{next(self._ids)}")
        created = given.get("createTime") or _now()
        review: dict[str, Any] = {
            "name": f"{parent}/reviews/{review_id}",
            "reviewId": review_id,
            "reviewer": {"displayName": given.get("reviewer", "A Google user"), "isAnonymous": "reviewer" not in given},
            "starRating": STARS[rating - 1],
            "createTime": created,
            "updateTime": given.get("updateTime", created),
        }
        if given.get("comment"):  # a rating without words has no such key
            review["comment"] = str(given["comment"])
        if given.get("reviewReply"):
            review["reviewReply"] = {"comment": given["reviewReply"], "updateTime": created}
        self.reviews[review["name"]] = review
        return review

    # -- sign-in ------------------------------------------------------------------------------------------------------

    def is_offline(self, params: Mapping[str, str]) -> bool:
        """Google gives a refresh token at the first consent, and again only when consent is asked for anew."""
        first = params.get("person", "") not in self._consented
        if params.get("access_type") != "offline":
            return False
        self._consented.add(params.get("person", ""))
        return first or "consent" in params.get("prompt", "")

    def token_answer(self, grant: Grant, answer: dict[str, Any]) -> dict[str, Any]:
        answer["expires_in"] -= 1
        if "openid" in grant.scope.split():
            answer["id_token"] = self.id_token(grant)
        return answer

    def id_token(self, grant: Grant) -> str:
        person, now = grant.person, int(time.time())
        claims: dict[str, Any] = {
            "iss": self.url,
            "azp": self.client_id,
            "aud": self.client_id,
            "sub": person.id,
            "iat": now,
            "exp": now + 3600,
        }
        claims |= _profile(grant)
        if grant.nonce:
            claims["nonce"] = grant.nonce
        return jwt.encode(claims, self._key, algorithm="RS256", headers={"kid": KEY_ID})

    async def _revoke(self, request: Request) -> Response:
        given = await fields(request) if request.headers.get("content-type") else {}
        token = str(given.get("token") or request.query_params.get("token", ""))
        if not self.revoke(token):
            return JSONResponse({"error": "invalid_token", "error_description": "Token expired or revoked"}, 400)
        return JSONResponse({})

    async def _discovery(self, _request: Request) -> Response:
        return JSONResponse(
            {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/o/oauth2/v2/auth",
                "token_endpoint": f"{self.url}/token",
                "userinfo_endpoint": f"{self.url}/v1/userinfo",
                "revocation_endpoint": f"{self.url}/revoke",
                "jwks_uri": f"{self.url}/oauth2/v3/certs",
                "response_types_supported": ["code"],
                "code_challenge_methods_supported": ["S256"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "subject_types_supported": ["public"],
            }
        )

    async def _certs(self, _request: Request) -> Response:
        return JSONResponse({"keys": [public_jwk(self._key, KEY_ID)]}, headers={"Cache-Control": "max-age=3600"})

    async def _userinfo(self, request: Request) -> Response:
        grant = self.signed_in(request)
        return JSONResponse({"sub": grant.person.id, **_profile(grant)})

    # -- Business Profile ---------------------------------------------------------------------------------------------

    async def _list_accounts(self, request: Request) -> Response:
        grant = self.signed_in(request, BUSINESS)
        shown = [one["shown"] for one in self.accounts.values() if one["owner"] in (None, grant.person.id)]
        return JSONResponse(_page(request, "accounts", shown, most=20))

    async def _list_locations(self, request: Request) -> Response:
        account = f"accounts/{self._account(request)}/"
        mask = _mask(request)
        shown = [_masked(location, mask) for path, location in self.locations.items() if path.startswith(account)]
        return JSONResponse({**_page(request, "locations", shown, most=100), "totalSize": len(shown)})

    async def _get_location(self, request: Request) -> Response:
        grant, mask = self.signed_in(request, BUSINESS), _mask(request)
        for path, location in self.locations.items():
            account = self.accounts[path.split("/")[1]]
            if path.endswith(f"/locations/{request.path_params['location']}"):
                if account["owner"] not in (None, grant.person.id):
                    raise Refused(403, "The caller does not have permission")
                return JSONResponse(_masked(location, mask))
        raise Refused(404, "Requested entity was not found.")

    async def _list_reviews(self, request: Request) -> Response:
        parent = self._location(request)
        found = [review for name, review in self.reviews.items() if name.startswith(f"{parent}/")]
        found.sort(key=lambda review: review["updateTime"], reverse=True)
        body = _page(request, "reviews", found, most=50)
        if found:
            stars = [STARS.index(one["starRating"]) + 1 for one in found if one["starRating"] in STARS]
            body["averageRating"] = round(sum(stars) / len(stars), 1) if stars else 0
            body["totalReviewCount"] = len(found)
        return JSONResponse(body)

    async def _get_review(self, request: Request) -> Response:
        return JSONResponse(self._review(request))

    async def _reply(self, request: Request) -> Response:
        review = self._review(request)
        comment = (await json_object(request)).get("comment")
        if not isinstance(comment, str) or not comment.strip():
            raise Refused(400, "comment is required")
        if len(comment.encode()) > LONGEST_REPLY:
            raise Refused(400, f"comment is longer than {LONGEST_REPLY} bytes")
        review["reviewReply"] = {"comment": comment, "updateTime": _now()}
        return JSONResponse(review["reviewReply"])

    async def _delete_reply(self, request: Request) -> Response:
        review = self._review(request)
        if review.pop("reviewReply", None) is None:
            raise Refused(404, "Requested entity was not found.")
        return JSONResponse({})

    def _account(self, request: Request) -> str:
        """The account of the path; 404 unless the caller's consent reaches it."""
        grant = self.signed_in(request, BUSINESS)
        number = str(request.path_params["account"])
        account = self.accounts.get(number)
        if account is None or account["owner"] not in (None, grant.person.id):
            raise Refused(404, "Requested entity was not found.")
        return number

    def _location(self, request: Request) -> str:
        path = f"accounts/{self._account(request)}/locations/{request.path_params['location']}"
        if path not in self.locations:
            raise Refused(404, "Requested entity was not found.")
        return path

    def _review(self, request: Request) -> dict[str, Any]:
        review = self.reviews.get(f"{self._location(request)}/reviews/{request.path_params['review']}")
        if review is None:
            raise Refused(404, "Requested entity was not found.")
        return review


def public_jwk(key: rsa.RSAPrivateKey, key_id: str) -> dict[str, str]:
    """The public half of a key, as a JWKS lists it."""
    shown = jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return {"kty": "RSA", "alg": "RS256", "use": "sig", "kid": key_id, "n": str(shown["n"]), "e": str(shown["e"])}


def _profile(grant: Grant) -> dict[str, Any]:
    """The claims that the scopes ``email`` and ``profile`` open."""
    person, scopes = grant.person, grant.scope.split()
    claims: dict[str, Any] = {}
    if "email" in scopes:
        claims |= {"email": person.email, "email_verified": person.email_verified}
    if "profile" in scopes:
        claims |= {"name": person.name, "picture": person.picture}
    return claims


def _mask(request: Request) -> list[str]:
    """The fields that a location is asked for; without any it is refused."""
    mask = [name.strip() for name in request.query_params.get("readMask", "").split(",") if name.strip()]
    if not mask:
        raise Refused(400, "readMask is required")
    return mask


def _masked(location: dict[str, Any], mask: list[str]) -> dict[str, Any]:
    return {name: value for name, value in location.items() if name in mask}


def _page(request: Request, key: str, found: list[Any], *, most: int) -> dict[str, Any]:
    """One page under *key*; an empty list has no key at all, as Google leaves out what is empty."""
    size = whole_number(request.query_params, "pageSize", default=most, most=most)
    start = _start(request.query_params.get("pageToken", ""))
    body: dict[str, Any] = {key: found[start : start + size]} if found[start : start + size] else {}
    if start + size < len(found):
        body["nextPageToken"] = base64.urlsafe_b64encode(json.dumps(start + size).encode()).decode()
    return body


def _start(token: str) -> int:
    if not token:
        return 0
    try:
        return int(json.loads(base64.urlsafe_b64decode(token)))
    except (ValueError, TypeError) as error:
        raise Refused(400, "Invalid page token.") from error


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
