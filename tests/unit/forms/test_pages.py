"""What visitors' browsers are served, and the headers that keep it in its place."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.areas.forms import pages, rules
from shared.areas.forms.models import Attribution, FormSchema, FormSettings, Theme
from shared.areas.forms.pages import PageView, page_headers, render_page

FORM = UUID(int=1)
EMBED = Path(pages.__file__).parent / "embed"


def view(**given: Any) -> PageView:
    return PageView(
        **{
            "app_base_url": "https://app.example.com/",
            "form_id": FORM,
            "version_id": UUID(int=2),
            "form_name": "Contact",
            "mode": "html",
            "code": "<form data-anchor-form></form>",
            "css": None,
            "schema": FormSchema(),
            "attribution": Attribution(),
            "page_token": "token",
            "parent_origin": "https://client.test",
            "nonce": "abc",
            **given,
        }
    )


class Elements(HTMLParser):
    """The elements of a page, and the text of those that hold code."""

    def __init__(self, page: str):
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, str] = {}
        self._open = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._open = str(dict(attrs).get("id") or tag)

    def handle_data(self, data: str) -> None:
        self.texts[self._open] = self.texts.get(self._open, "") + data

    def handle_endtag(self, tag: str) -> None:
        self._open = ""

    @property
    def facts(self) -> dict[str, Any]:
        return dict(json.loads(self.texts["anchor-form-config"]))


def test_a_page_in_html_mode() -> None:
    """The author's markup, the form's name as title, one script with the answer's nonce, of the same version."""
    page = Elements(render_page(view()))
    scripts = [attributes for tag, attributes in page.tags if tag == "script" and "src" in attributes]
    source = f"https://app.example.com/embed/form/{FORM}/runtime.js?version={UUID(int=2)}"
    assert scripts == [{"defer": None, "nonce": "abc", "src": source}]
    assert page.texts["title"] == "Contact"
    assert page.facts["submit_url"] == f"https://app.example.com/embed/{FORM}/submit"
    assert page.facts["parent_origin"] == "https://client.test"
    assert ("form", {"data-anchor-form": None}) in page.tags


def test_a_page_in_react_mode() -> None:
    """The fields as data, the author's code not at all."""
    schema = FormSchema.read({"fields": [{"name": "a", "label": "A</script>", "secret": 1}], "theme": {"radius": 4}})
    text = render_page(view(mode="react", code="alert(1)", schema=schema))
    page = Elements(text)
    assert "alert(1)" not in text and "--ac-radius: 4px" in text
    (field,) = page.facts["fields"]
    assert (field["name"], field["label"]) == ("a", "A</script>") and "secret" not in field
    assert any(
        attributes.get("src") == "https://app.example.com/embed/script/runtime.js" for _, attributes in page.tags
    )


@given(st.text(), st.text(), st.text())
def test_nothing_given_breaks_out(name: str, told: str, css: str) -> None:
    """Names, styles and what a visitor's browser told stay what they are."""
    hostile = "</title></style></script><script>alert(1)</script>"
    attribution = Attribution.read({"referrer": told + hostile})
    text = render_page(view(form_name=name + hostile, attribution=attribution, css=css + hostile))
    page = Elements(text)
    assert [tag for tag, _ in page.tags] == [
        "html",
        "head",
        "meta",
        "meta",
        "title",
        "style",
        "script",
        "script",
        "body",
        "form",
    ]
    assert page.facts["attribution"]["referrer"] == attribution.referrer


def test_the_themes_of_form_and_embed() -> None:
    """The embed's theme lies over the form's."""
    schema = FormSchema.read({"theme": {"colors": {"primary": "#111", "text": "black"}, "font": "Lato, sans-serif"}})
    text = render_page(view(schema=schema, theme=Theme.read({"colors": {"primary": "#222"}})))
    assert "--ac-color-primary: #222; --ac-color-text: black; --ac-font: Lato, sans-serif;" in text
    assert pages.theme_css(Theme()) == ""


def directives(headers: dict[str, str]) -> dict[str, str]:
    return dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))


def test_the_page_never_has_the_apps_origin() -> None:
    """Sandboxed without its own origin: no cookie, no session, whoever opens it."""
    headers = page_headers(FormSettings(), nonce="abc", app_base_url="https://app.example.com/x")
    policy = directives(headers)
    assert "allow-same-origin" not in headers["Content-Security-Policy"]
    assert {"allow-scripts", "allow-forms", "allow-popups"} <= set(policy["sandbox"].split())
    assert policy["script-src"] == "'nonce-abc' https://cdn.jsdelivr.net"
    assert policy["connect-src"] == "https://app.example.com"
    assert "frame-ancestors" not in policy and "X-Frame-Options" not in headers
    assert headers["Cache-Control"] == "no-store" and headers["Cross-Origin-Resource-Policy"] == "cross-origin"


@pytest.mark.parametrize(
    ("allow_list", "ancestors"),
    [
        (["example.com"], "https://example.com:* http://example.com:* https://*.example.com:* http://*.example.com:*"),
        (["; script-src *"], "'none'"),
    ],
)
def test_the_allow_list_says_who_may_frame(allow_list: list[str], ancestors: str) -> None:
    """An unreadable list admits nobody, and adds no directive."""
    headers = page_headers(FormSettings(domain_allowlist=allow_list), nonce="n", app_base_url="https://app.example.com")
    assert directives(headers)["frame-ancestors"] == ancestors


@given(st.text())
def test_a_refusal_is_text(message: str) -> None:
    """What is wrong, escaped, in a page that runs nothing."""
    page = Elements(pages.refusal(message + "<script>"))
    assert "script" not in [tag for tag, _ in page.tags]
    assert "allow-scripts" not in pages.refusal_headers()["Content-Security-Policy"]


def test_a_new_form_sends_its_answers() -> None:
    """The template is bound by the runtime, and does not pretend anything by itself."""
    made = pages.new_form()
    assert "data-anchor-form" in made.react_code and made.schema_json["js_code"] == ""
    assert FormSchema.read(made.schema_json).mode_for(made.react_code) == "html"


def test_the_scripts_know_their_place() -> None:
    """The app's address and the author's code are filled in, as text."""
    script = pages.embed_script("https://app.example.com/")
    assert 'var APP = "https://app.example.com";' in script and "{app}" not in script
    runtime = pages.form_runtime('alert("</script>\u2028")')
    assert 'var AUTHOR_CODE = "alert(\\"\\u003c/script\\u003e\\u2028\\")";' in runtime
    assert "anchorShown" in pages.fields_runtime() and "AUTHOR_CODE" not in pages.fields_runtime()
    assert pages.script_headers(cached_s=3600)["Cache-Control"] == "public, max-age=3600"


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
@pytest.mark.parametrize(
    "script",
    [
        *(pytest.param(path.read_text(), id=path.name) for path in sorted(EMBED.glob("*.js"))),
        pytest.param(pages.embed_script("https://app.test"), id="served embed script"),
        pytest.param(pages.form_runtime("'\n`${"), id="served form runtime"),
        pytest.param(pages.fields_runtime(), id="served fields runtime"),
    ],
)
def test_every_script_can_be_read(script: str) -> None:
    """As files, and as they are served."""
    ran = subprocess.run(
        ["node", "--check", "-"], input=script, capture_output=True, text=True, timeout=30, check=False
    )
    assert ran.returncode == 0, ran.stderr


def test_the_honeypot_has_one_name() -> None:
    """The page tells it to the runtime."""
    assert Elements(render_page(view())).facts["honeypot"] == rules.HONEYPOT
    assert not re.search(rules.HONEYPOT, (EMBED / "core.js").read_text())
