"""Sign-in at every OAuth stand-in, and what each one guards with its tokens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import jwt
import pytest

from emulators.faults import Fault, Faults
from emulators.vendors.facebook import Facebook
from emulators.vendors.google import BUSINESS, Google
from emulators.vendors.microsoft import Microsoft
from emulators.vendors.oauth import OAuthVendor, challenge
from emulators.vendors.tiktok import TikTok
from emulators.vendors.wordpress import SELF_HOSTED, WordPress

REDIRECT = "http://localhost:8080/api/callback"
VERIFIER = "v" * 43
VENDORS = (Google, Microsoft, Facebook, TikTok, WordPress)
PATHS = {
    "google": ("/o/oauth2/v2/auth", "/token"),
    "microsoft": ("/common/oauth2/v2.0/authorize", "/common/oauth2/v2.0/token"),
    "facebook": ("/v18.0/dialog/oauth", "/v18.0/oauth/access_token"),
    "tiktok": ("/v2/auth/authorize/", "/v2/oauth/token/"),
    "wordpress": ("/oauth2/authorize", "/oauth2/token"),
}
SCOPES = {
    "google": f"openid email profile {BUSINESS}",
    "microsoft": "openid email profile offline_access User.Read",
    "facebook": "email,pages_show_list",
    "tiktok": "user.info.basic,user.info.stats",
    "wordpress": "global",
}


async def consent(http: httpx.AsyncClient, vendor: OAuthVendor, **more: str) -> dict[str, str]:
    """Press Allow on the consent page; the parameters of the redirect."""
    dialect = vendor.dialect
    params = {
        dialect.client_id_name: vendor.client_id,
        "redirect_uri": REDIRECT,
        "response_type": "code",
        "scope": SCOPES[vendor.name],
        "state": "s1",
        "code_challenge": challenge(VERIFIER),
        "code_challenge_method": "S256",
        **more,
    }
    path = PATHS[vendor.name][0]
    page = await http.get(path, params=params)
    assert page.status_code == 200 and vendor.people[0].name in page.text
    form = {"person": vendor.people[0].id, "decision": more.get("decision", "allow")}
    answer = await http.post(path, params=params, data=form)
    assert answer.status_code == 302 and answer.headers["location"].startswith(REDIRECT)
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}


async def redeem(http: httpx.AsyncClient, vendor: OAuthVendor, code: str, **more: str) -> httpx.Response:
    dialect = vendor.dialect
    params = {
        dialect.client_id_name: vendor.client_id,
        dialect.client_secret_name: vendor.client_secret,
        "grant_type": "authorization_code",
        "redirect_uri": REDIRECT,
        "code": code,
        "code_verifier": VERIFIER,
        **more,
    }
    return await http.post(PATHS[vendor.name][1], data=params)


def refused(vendor: OAuthVendor, answer: httpx.Response) -> bool:
    """Whether a token answer is a refusal, in the vendor's way: TikTok says 200 and means no."""
    return "access_token" not in answer.json() and (answer.status_code >= 400 or vendor.name == "tiktok")


@pytest.mark.parametrize("kind", VENDORS)
async def test_a_code_works_once_and_only_as_asked(kind: Any, faults: Faults, running: Callable[..., Any]) -> None:
    """Wrong secret, address or verifier is refused; the code works once, and twice withdraws its tokens."""
    vendor = kind(faults)
    async with running(vendor) as http:
        back = await consent(http, vendor)
        assert back["state"] == "s1"
        for wrong in (
            {vendor.dialect.client_secret_name: "x"},
            {"redirect_uri": "http://localhost:1/"},
            {"code_verifier": "w" * 43},
            {"code": "x"},
        ):
            assert refused(vendor, await redeem(http, vendor, **{"code": back["code"], **wrong})), wrong
        tokens = (await redeem(http, vendor, back["code"])).json()
        assert vendor.grant_of(tokens["access_token"]) is not None
        assert refused(vendor, await redeem(http, vendor, back["code"]))
        assert vendor.grant_of(tokens["access_token"]) is None


@pytest.mark.parametrize("kind", VENDORS)
async def test_nobody_is_redirected_to_a_strange_address(
    kind: Any, faults: Faults, running: Callable[..., Any]
) -> None:
    """An unknown client or an unregistered address ends on a page; a refusal by the person goes back to us."""
    vendor = kind(faults)
    path, name = PATHS[vendor.name][0], vendor.dialect.client_id_name
    async with running(vendor) as http:
        stranger = {name: "x", "redirect_uri": REDIRECT, "response_type": "code"}
        assert (await http.get(path, params=stranger)).status_code == 401
        evil = {name: vendor.client_id, "redirect_uri": "https://evil.test/", "response_type": "code"}
        assert (await http.get(path, params=evil)).status_code == 400
        assert (await consent(http, vendor, decision="deny"))["error"] == "access_denied"


@pytest.mark.parametrize("kind", [Google, Microsoft, TikTok])
async def test_refreshing(kind: Any, faults: Faults, running: Callable[..., Any]) -> None:
    """A refresh token renews an expired access token; a rotated or withdrawn one is invalid_grant."""
    vendor = kind(faults)
    async with running(vendor) as http:
        back = await consent(http, vendor, access_type="offline", prompt="consent")
        tokens = (await redeem(http, vendor, back["code"])).json()
        vendor.expire_access_tokens()
        assert vendor.grant_of(tokens["access_token"]) is None
        again = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
        renewed = (await redeem(http, vendor, "", **again)).json()
        assert vendor.grant_of(renewed["access_token"]) is not None
        second = await redeem(http, vendor, "", **again)
        assert refused(vendor, second) == vendor.dialect.rotates_refresh
        assert ("refresh_token" in renewed) == vendor.dialect.rotates_refresh
        vendor.withdraw(vendor.people[0])
        last = await redeem(
            http, vendor, "", **{**again, "refresh_token": renewed.get("refresh_token", tokens["refresh_token"])}
        )
        assert refused(vendor, last) and last.json()["error"] == "invalid_grant"


async def test_google_gives_a_refresh_token_only_for_consent(faults: Faults, running: Callable[..., Any]) -> None:
    """Offline access earns one at the first consent; later only prompt=consent does."""
    vendor = Google(faults)
    async with running(vendor) as http:
        seen = []
        for more in (
            {},
            {"access_type": "offline"},
            {"access_type": "offline"},
            {"access_type": "offline", "prompt": "consent"},
        ):
            code = (await consent(http, vendor, **more))["code"]
            seen.append("refresh_token" in (await redeem(http, vendor, code)).json())
    assert seen == [False, True, False, True]


async def test_google_signs_its_id_token(faults: Faults, running: Callable[..., Any]) -> None:
    """The id_token verifies against the published keys and carries the nonce."""
    vendor = Google(faults)
    async with running(vendor) as http:
        code = (await consent(http, vendor, nonce="n1"))["code"]
        tokens = (await redeem(http, vendor, code)).json()
        [key] = (await http.get("/oauth2/v3/certs")).json()["keys"]
        claims = jwt.decode(tokens["id_token"], jwt.PyJWK(key).key, algorithms=["RS256"], audience=vendor.client_id)
        assert (claims["nonce"], claims["email"], claims["sub"]) == ("n1", vendor.people[0].email, vendor.people[0].id)
        info = await http.get("/v1/userinfo", headers={"Authorization": f"Bearer {tokens['access_token']}"})
        assert info.json()["email_verified"] is True


async def test_google_reviews_page_and_take_replies(faults: Faults, running: Callable[..., Any]) -> None:
    """Pages follow nextPageToken; a reply is set, replaced and deleted; others' accounts are not there."""
    vendor = Google(faults)
    vendor.add_account("1", "Bright Smile", owner=vendor.people[0])
    vendor.add_location("1", "2", "Downtown")
    for n in range(7):
        vendor.add_review(
            {"rating": 1 + n % 5, "comment": f"c{n}", "reviewer": "R", "createTime": f"2026-01-0{n + 1}T00:00:00Z"}
        )
    base = "/v4/accounts/1/locations/2/reviews"
    async with running(vendor) as http:
        assert (await http.get(base)).status_code == 401
        mine = {"Authorization": f"Bearer {vendor.issue(vendor.people[0], BUSINESS)['access_token']}"}
        email_only = {"Authorization": f"Bearer {vendor.issue(vendor.people[0], 'email')['access_token']}"}
        stranger = {"Authorization": f"Bearer {vendor.issue(vendor.people[1], BUSINESS)['access_token']}"}
        assert (await http.get(base, headers=email_only)).status_code == 403
        assert (await http.get(base, headers=stranger)).status_code == 404
        names, token = [], ""
        while True:
            body = (await http.get(base, params={"pageSize": 3, "pageToken": token}, headers=mine)).json()
            names += [review["name"] for review in body["reviews"]]
            token = body.get("nextPageToken", "")
            if not token:
                break
        assert len(set(names)) == 7 and body["totalReviewCount"] == 7
        reply = f"/v4/{names[0]}/reply"
        assert (await http.put(reply, json={"comment": "Thanks"}, headers=mine)).json()["comment"] == "Thanks"
        assert (await http.put(reply, json={"comment": "x" * 4097}, headers=mine)).status_code == 400
        assert (await http.get(f"/v4/{names[0]}", headers=mine)).json()["reviewReply"]["comment"] == "Thanks"
        assert [(await http.delete(reply, headers=mine)).status_code for _ in range(2)] == [200, 404]
        assert (await http.get("/v1/accounts/1/locations", headers=mine)).status_code == 400
        masked = await http.get("/v1/accounts/1/locations", params={"readMask": "name,title"}, headers=mine)
        assert masked.json()["locations"] == [{"name": "locations/2", "title": "Downtown"}]


async def test_microsoft_tells_who_it_is(faults: Faults, running: Callable[..., Any]) -> None:
    """Graph needs User.Read; the id_token names tenant and object id."""
    vendor = Microsoft(faults)
    async with running(vendor) as http:
        tokens = (await redeem(http, vendor, (await consent(http, vendor))["code"])).json()
        me = await http.get("/v1.0/me", headers={"Authorization": f"Bearer {tokens['access_token']}"})
        assert me.json()["mail"] == vendor.people[0].email
        [key] = (await http.get("/common/discovery/v2.0/keys")).json()["keys"]
        claims = jwt.decode(tokens["id_token"], jwt.PyJWK(key).key, algorithms=["RS256"], audience=vendor.client_id)
        assert claims["oid"] == vendor.people[0].id and claims["tid"]
        assert (await http.get("/v1.0/me")).status_code == 401


async def test_facebook_pages_and_their_instagram_accounts(faults: Faults, running: Callable[..., Any]) -> None:
    """Pages come with cursors and only the fields asked for; a living token is exchanged for a long one."""
    vendor = Facebook(faults)
    for n in range(3):
        vendor.add_page(f"10{n}", f"Page {n}", instagram={"id": f"20{n}", "username": f"u{n}", "followers_count": n})
    async with running(vendor) as http:
        token = (await redeem(http, vendor, (await consent(http, vendor))["code"])).json()["access_token"]
        url, pages = "/v18.0/me/accounts?limit=2&fields=id,name,instagram_business_account{id,username}", []
        url += f"&access_token={token}"
        while url:
            body = (await http.get(url)).json()
            pages += body["data"]
            url = body["paging"].get("next")
        assert [page["instagram_business_account"]["username"] for page in pages] == ["u0", "u1", "u2"]
        assert "access_token" not in pages[0]
        node = await http.get(
            "/v18.0/201", params={"fields": "username,followers_count", "access_token": "page-token-101"}
        )
        assert node.json() == {"id": "201", "username": "u1", "followers_count": 1}
        long = await redeem(http, vendor, "", grant_type="fb_exchange_token", fb_exchange_token=token)
        assert long.json()["expires_in"] > 5_000_000
        faults.put("instagram", Fault(status=500))
        assert (await http.get("/v18.0/me", params={"access_token": token})).status_code == 200
        asked = {"access_token": token, "fields": "instagram_business_account"}
        assert (await http.get("/v18.0/me/accounts", params=asked)).status_code == 500


async def test_tiktok_shows_only_what_was_granted(faults: Faults, running: Callable[..., Any]) -> None:
    """Fields of a scope that was not granted are a 403; PKCE is required."""
    vendor = TikTok(faults)
    async with running(vendor) as http:
        token = (await redeem(http, vendor, (await consent(http, vendor))["code"])).json()["access_token"]
        mine = {"Authorization": f"Bearer {token}"}
        shown = await http.get("/v2/user/info/", params={"fields": "open_id,follower_count"}, headers=mine)
        assert shown.json()["data"]["user"] == {"open_id": vendor.people[0].id, "follower_count": 1200}
        assert (await http.get("/v2/user/info/", params={"fields": "username"}, headers=mine)).status_code == 403
        bare = {"client_key": vendor.client_id, "redirect_uri": REDIRECT, "response_type": "code"}
        assert "invalid_request" in (await http.get("/v2/auth/authorize/", params=bare)).headers["location"]


async def test_wordpress_sites_and_application_passwords(faults: Faults, running: Callable[..., Any]) -> None:
    """WordPress.com lists sites to its token; a self-hosted site takes its application password, blanks or not."""
    vendor = WordPress(faults)
    vendor.add_site(5, "Bright", "https://bright.example")
    async with running(vendor) as http:
        tokens = (await redeem(http, vendor, (await consent(http, vendor))["code"])).json()
        assert tokens["blog_id"] == "5" and "refresh_token" not in tokens
        mine = {"Authorization": f"Bearer {tokens['access_token']}"}
        assert (await http.get("/rest/v1.1/me/sites", headers=mine)).json()["sites"][0]["ID"] == 5
        for password in (SELF_HOSTED["password"], SELF_HOSTED["password"].replace(" ", "")):
            assert (
                await http.get("/wp-json/wp/v2/users/me", auth=(SELF_HOSTED["username"], password))
            ).status_code == 200
        assert (await http.get("/wp-json/wp/v2/users/me", auth=("editor", "x"))).status_code == 401


async def test_facebook_tells_what_was_allowed(faults: Faults, running: Callable[..., Any]) -> None:
    """Permissions are listed as granted or declined; a dead token is told by code 190, also when it is exchanged."""
    vendor = Facebook(faults)
    vendor.declined = {"email"}
    async with running(vendor) as http:
        token = (await redeem(http, vendor, (await consent(http, vendor))["code"])).json()["access_token"]
        listed = await http.get("/v18.0/me/permissions", params={"access_token": token})
        assert listed.json()["data"] == [
            {"permission": "email", "status": "declined"},
            {"permission": "pages_show_list", "status": "granted"},
        ]
        vendor.expire_access_tokens()
        dead = await redeem(http, vendor, "", grant_type="fb_exchange_token", fb_exchange_token=token)
        assert (dead.status_code, dead.json()["error"]["code"]) == (400, 190)


async def test_wordpress_posts_by_their_slug(faults: Faults, running: Callable[..., Any]) -> None:
    """Both APIs find a post by its slug, drafts only when asked for, number a second one, change it, and may lose an
    answer after the post is made."""
    vendor = WordPress(faults)
    vendor.add_site(5, "Bright", "https://bright.example")
    draft = {"title": "T", "content": "c", "slug": "one", "status": "draft"}
    me = (SELF_HOSTED["username"], SELF_HOSTED["password"])
    async with running(vendor) as http:
        tokens = (await redeem(http, vendor, (await consent(http, vendor))["code"])).json()
        mine = {"Authorization": f"Bearer {tokens['access_token']}"}
        posts = "/rest/v1.1/sites/5/posts"
        assert (await http.get(f"{posts}/slug:one", headers=mine)).status_code == 404
        made = (await http.post(f"{posts}/new", json=draft, headers=mine)).json()
        assert (await http.get(f"{posts}/slug:one", headers=mine)).json()["ID"] == made["ID"]
        changed = await http.post(f"{posts}/{made['ID']}", json={"title": "U"}, headers=mine)
        assert changed.json()["title"] == "U"
        assert (await http.post(f"{posts}/999", json={}, headers=mine)).status_code == 404

        api = "/wp-json/wp/v2/posts"
        first = (await http.post(api, json=draft, auth=me)).json()
        assert (await http.post(api, json=draft, auth=me)).json()["slug"] == "one-2"
        assert (await http.get(api, params={"slug": "one"}, auth=me)).json() == []
        found = await http.get(api, params={"slug": "one", "status": "publish,draft"}, auth=me)
        assert [one["id"] for one in found.json()] == [first["id"]]
        vendor.lost_answers = 1
        lost = await http.post(api, json={**draft, "slug": "two"}, auth=me)
        assert lost.status_code == 504 and vendor.posts[-1]["slug"] == "two"


async def test_wordpress_pictures_by_their_name(faults: Faults, running: Callable[..., Any]) -> None:
    """Both APIs take a picture under its file's name, find it by that name, and show it to anybody."""
    vendor = WordPress(faults)
    vendor.add_site(5, "Bright", "https://bright.example")
    me = (SELF_HOSTED["username"], SELF_HOSTED["password"])
    async with running(vendor) as http:
        tokens = (await redeem(http, vendor, (await consent(http, vendor))["code"])).json()
        mine = {"Authorization": f"Bearer {tokens['access_token']}"}
        media = "/rest/v1.1/sites/5/media"
        sent = {"media[]": ("roof-1.png", b"one", "image/png")}
        [made] = (await http.post(f"{media}/new", files=sent, headers=mine)).json()["media"]
        [found] = (await http.get(media, params={"search": "roof-1"}, headers=mine)).json()["media"]
        assert found == made and (found["file"], found["mime_type"]) == ("roof-1.png", "image/png")
        assert (await http.post(f"{media}/new", files={"other": b"x"}, headers=mine)).status_code == 400

        api = "/wp-json/wp/v2/media"
        named = {"Content-Type": "image/png", "Content-Disposition": 'attachment; filename="roof-2.png"'}
        own = (await http.post(api, content=b"two", headers=named, auth=me)).json()
        assert [one["id"] for one in (await http.get(api, params={"slug": "roof-2"}, auth=me)).json()] == [own["id"]]
        assert (await http.post(api, content=b"two", headers=named)).status_code == 401
        assert (await http.post(api, content=b"two", auth=me)).status_code == 400
        for url, data in ((made["URL"], b"one"), (own["source_url"], b"two")):
            shown = await http.get(url)
            assert (shown.content, shown.headers["content-type"]) == (data, "image/png")


async def test_wordpress_application_passwords_end(faults: Faults, running: Callable[..., Any]) -> None:
    """A password says which one it is, and can delete itself."""
    vendor = WordPress(faults)
    me = (SELF_HOSTED["username"], SELF_HOSTED["password"])
    passwords = "/wp-json/wp/v2/users/me/application-passwords"
    async with running(vendor) as http:
        own = (await http.get(f"{passwords}/introspect", auth=me)).json()["uuid"]
        assert (await http.delete(f"{passwords}/{own}", auth=me)).json()["deleted"] is True
        assert (await http.get("/wp-json/wp/v2/users/me", auth=me)).status_code == 401
