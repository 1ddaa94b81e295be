"""A client's site is connected with an application password, and what they publish here appears there."""

from __future__ import annotations

import base64

from emulators.acts import Stage, expect, until
from emulators.acts.browser import Browser
from emulators.cloud import LocalCloud
from emulators.demo_data import CLIENTS, PASSWORD
from emulators.vendors.wordpress import SELF_HOSTED, WordPress
from emulators.vertex_answers import png

CLIENT = CLIENTS["bakery"]
TITLE = "Cakes that travel well"
IMAGE = f"data:image/png;base64,{base64.b64encode(png('a cake')).decode()}"


async def act(cloud: LocalCloud, stage: Stage) -> None:
    """A post with an image, published, then taken back."""
    site = cloud.parts.named("wordpress")
    assert isinstance(site, WordPress)
    async with Browser(cloud, "Connections") as admin:
        await admin.sign_in("lead@anchor.test", PASSWORD)
        async with stage.step("An admin connects a client's WordPress site"):
            login = {"username": SELF_HOSTED["username"], "applicationPassword": SELF_HOSTED["password"]}
            place = {"clientId": str(CLIENT.id), "siteUrl": site.url}
            await admin.send("POST", "/api/hub/wordpress/connect", json={**place, **login})
    async with Browser(cloud, "Blog") as client:
        await client.sign_in(CLIENT.email, PASSWORD)
        async with stage.step("The client publishes a post: it is on the site, image and all") as notes:
            before = len(site.posts)
            post = {"title": TITLE, "content": f'<img src="{IMAGE}"><p>Flat, firm and cold.</p>'}
            made = await client.send("POST", "/api/hub/blog-posts", json={**post, "status": "published"})

            async def arrived() -> bool:
                return len(site.posts) > before

            await until("the post on the client's site", arrived, within_s=30)
            there = site.posts[-1]
            expect(there["title"] == TITLE and site.pictures[-1]["link"] in there["content"], "it is another post")
            notes.append(str(there["link"]))
        async with stage.step("and takes it back: a draft there, too"):
            await client.send("PUT", f"/api/hub/blog-posts/{made['blog_post']['id']}", json={"status": "draft"})

            async def taken_back() -> bool:
                return bool(there["status"] == "draft")

            await until("the post to be a draft on the client's site", taken_back, within_s=30)
