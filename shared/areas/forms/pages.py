"""What visitors' browsers are served: the form's page, its scripts, and the headers that keep the page in its place.

A form's author writes HTML, CSS and JavaScript, and the page comes from the dashboard's own address. So the page is
served with a CSP ``sandbox`` that does not allow its own origin: the browser gives it an opaque one, without cookies,
and nothing in it can act with the session of a staff member who opens it, in a frame or not.

What follows for the endpoints: the page's requests are cross-origin, with ``Origin: null``. They carry no credentials,
and the submit and draft endpoints answer them (and their preflight, for ``Content-Type``) with
``Access-Control-Allow-Origin: *`` and no ``Access-Control-Allow-Credentials``. Every script served here needs
``Cross-Origin-Resource-Policy: cross-origin``.
"""

from __future__ import annotations

import html
import json
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import resources
from typing import NamedTuple
from uuid import UUID

from shared.areas.forms import rules
from shared.areas.forms.models import Attribution, FormSchema, FormSettings, JsonObject, RuntimeMode, Theme

JAVASCRIPT = "application/javascript; charset=utf-8"
_LIBRARIES = "https://cdn.jsdelivr.net"  # authors' pages load scripts, styles and fonts from there


@dataclass(frozen=True, slots=True, kw_only=True)
class PageView:
    """One published version as one visitor opens it. ``code`` is the author's HTML in html mode, else not shown."""

    app_base_url: str
    form_id: UUID
    version_id: UUID
    form_name: str
    mode: RuntimeMode
    code: str
    css: str | None
    schema: FormSchema
    attribution: Attribution
    page_token: str
    parent_origin: str | None
    nonce: str  # fresh for each answer, the same in its headers
    theme: Theme = field(default_factory=Theme)  # of this embed, over the version's own
    preview: bool = False  # for its author: works like the real one, but sends nothing


def render_page(view: PageView) -> str:
    """The whole HTML document of ``GET /embed/form/{form_id}``."""
    base = view.app_base_url.rstrip("/")
    path = f"/embed/form/{view.form_id}/runtime.js?version={view.version_id}"
    source = f"{base}{path}" if view.mode == "html" else f"{base}/embed/script/runtime.js"
    script = f'<script defer nonce="{html.escape(view.nonce)}" src="{html.escape(source)}"></script>'
    if view.preview:  # what is not published has no script of its own address
        code = form_runtime(view.schema.js_code) if view.mode == "html" else fields_runtime()
        script = f'<script nonce="{html.escape(view.nonce)}">{code}</script>'
    content = view.code if view.mode == "html" else '<div id="anchor-form-root"></div>'
    # The facts and the runtime come before the author's markup: nothing left open in it can swallow them.
    return "\n".join(
        (
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{html.escape(view.form_name)}</title>",
            f"<style>{_style(view)}</style>",
            f'<script type="application/json" id="anchor-form-config">{_data(_facts(view, base))}</script>',
            script,
            f"</head>\n<body>\n{content}\n</body>\n</html>\n",
        )
    )


def _facts(view: PageView, base: str) -> JsonObject:
    facts: JsonObject = {
        "form_id": str(view.form_id),
        "submit_url": f"{base}/embed/{view.form_id}/submit",
        "files_url": f"{base}/embed/{view.form_id}/files",
        "max_file_bytes": rules.MAX_FILE_BYTES,
        "start_url": f"{base}/embed/{view.form_id}/start",
        "preview": view.preview,
        "attribution": view.attribution.model_dump(),
        "page_token": view.page_token,
        "parent_origin": view.parent_origin,
        "honeypot": rules.HONEYPOT,
    }
    if view.mode == "react" or _has_conditions(view.schema):
        drawn = set(type(view.schema.fields[0]).model_fields) if view.schema.fields else set()
        facts["fields"] = [one.model_dump(include=drawn) for one in view.schema.fields]
        facts["steps"] = [step.model_dump() for step in view.schema.steps]
    return facts


def _has_conditions(schema: FormSchema) -> bool:
    return any(one.show_if for one in schema.fields) or any(step.show_if for step in schema.steps)


def _style(view: PageView) -> str:
    own = _file("fields.css") if view.mode == "react" else ""
    style = "\n".join((own, view.css or "", theme_css(view.theme.over(view.schema.theme))))
    return style.replace("</", "<\\/")  # the same in CSS, but no end of the element


def theme_css(theme: Theme) -> str:
    """The theme as the custom properties that the ``ac-`` classes use; empty for none."""
    lines = [f"--ac-color-{name}: {value};" for name, value in theme.colors.items()]
    lines += [f"--ac-font: {theme.font};"] if theme.font else []
    lines += [f"--ac-radius: {theme.radius};"] if theme.radius else []
    return f":root {{ {' '.join(lines)} }}" if lines else ""


def _data(value: object) -> str:
    """JSON that can stand inside a script element: nothing in it can end the element or begin another."""
    return json.dumps(value).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def page_headers(
    settings: FormSettings, *, nonce: str, app_base_url: str, image_sources: tuple[str, ...] = ()
) -> dict[str, str]:
    """The headers of a form's page. ``X-Frame-Options`` must not be among the others: framing is allowed here.

    Who may frame it is the allow-list (with subdomains); a list on which no entry can be read admits nobody. Scripts
    run by nonce, data goes to the app alone, and a form that no script bound sends nothing anywhere.
    """
    app = rules.origin_of(app_base_url) or "'none'"
    policy = {
        "sandbox": "allow-scripts allow-forms allow-popups allow-popups-to-escape-sandbox",
        "default-src": "'none'",
        "script-src": f"'nonce-{nonce}' {_LIBRARIES}",
        "style-src": f"'unsafe-inline' https://fonts.googleapis.com {_LIBRARIES}",
        "font-src": f"https://fonts.gstatic.com {_LIBRARIES} data:",
        "img-src": " ".join((app, "data:", "blob:", *image_sources)),
        "connect-src": app,
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    if settings.domain_allowlist:
        policy["frame-ancestors"] = " ".join(rules.frame_ancestors(settings.domain_allowlist)) or "'none'"
    return {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "Cache-Control": "no-store",
        "Cross-Origin-Resource-Policy": "cross-origin",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }


def refusal(message: str) -> str:
    """The page shown in the frame instead of a form that cannot be shown."""
    title = "This form cannot be shown"
    style = "body{margin:0;padding:16px;font:16px/1.5 system-ui,Arial,sans-serif;color:#1f2328}"
    head = f'<meta charset="utf-8"><title>{title}</title><style>{style}</style>'
    return (
        f'<!doctype html>\n<html lang="en">\n<head>{head}</head>\n<body><p>{html.escape(message)}</p></body>\n</html>\n'
    )


def refusal_headers() -> dict[str, str]:
    """Any site may frame it: it says nothing of the form."""
    return {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'",
        "Cache-Control": "no-store",
        "Cross-Origin-Resource-Policy": "cross-origin",
        "X-Content-Type-Options": "nosniff",
    }


def script_headers(*, cached_s: int = 0) -> dict[str, str]:
    """The headers of the scripts; ``cached_s`` is 3600 for the embed script, none for the runtimes."""
    return {
        "Content-Type": JAVASCRIPT,
        "Cache-Control": f"public, max-age={cached_s}" if cached_s else "no-store",
        "Cross-Origin-Resource-Policy": "cross-origin",
        "X-Content-Type-Options": "nosniff",
    }


def embed_script(app_base_url: str) -> str:
    """``embed.js``, which knows the app by its address."""
    return _file("embed.js").replace('"{app}"', json.dumps(app_base_url.rstrip("/")))


def form_runtime(author_code: str) -> str:
    """The runtime of a form in html mode, with its author's code as text that it runs after itself."""
    return _together("core.js", "conditions.js", "form_runtime.js").replace('"{author_code}"', _data(author_code))


def fields_runtime() -> str:
    """The runtime of every form that is drawn from its fields."""
    return _together("core.js", "conditions.js", "fields_runtime.js")


def _together(*names: str) -> str:
    """Several files in one function, so that they see each other and the page sees none of them."""
    return "(function () {\n" + "\n".join(map(_file, names)) + "\n})();\n"


class NewForm(NamedTuple):
    """Version 1 of a form that somebody just made: it works as it is."""

    react_code: str
    css_code: str
    schema_json: JsonObject


def new_form() -> NewForm:
    schema: JsonObject = {"fields": [], "runtime_mode": "html", "js_code": ""}
    return NewForm(_file("new_form.html"), _file("fields.css"), schema)


@lru_cache
def _file(name: str) -> str:
    return resources.files(__package__).joinpath("embed", name).read_text("utf-8")
