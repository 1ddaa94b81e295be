"""Takes out of old blog posts what could act in the browser of whoever opens them: the old server kept HTML as it came.

The rules are those of today's posts, written down here once more because a revision must stay what it was. One thing is
let through that new posts may not have: images inside of the HTML, which become files when the post is saved again.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psycopg

_TAGS = {
    *("a", "abbr", "b", "blockquote", "br", "caption", "code", "col", "colgroup", "dd", "del", "div", "dl", "dt", "em"),
    *("figcaption", "figure", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "ins", "li", "mark", "ol", "p"),
    *("pre", "q", "s", "small", "span", "strong", "sub", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr"),
    *("u", "ul"),
}
_ATTRIBUTES = {
    "*": {"class", "style", "title"},
    "a": {"href", "target"},
    "img": {"src", "alt", "width", "height"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
    "ol": {"start"},
}
_STYLES = {
    *("color", "background-color", "text-align", "font-weight", "font-style", "font-size", "text-decoration"),
    *("margin", "margin-top", "margin-right", "margin-bottom", "margin-left", "padding", "border-radius"),
    *("max-width", "width", "height"),
}
_IMAGE = re.compile(r"data:image/(png|jpe?g|gif|webp);base64,[A-Za-z0-9+/=\s]+", re.IGNORECASE)


def clean_posts(connection: psycopg.Connection) -> int:
    """Clean every post; how many are other than before."""
    changed = 0
    for (post_id,) in connection.execute("select id from blog_posts where strpos(content, '<') > 0").fetchall():
        row = connection.execute("select content from blog_posts where id = %s for update", (post_id,)).fetchone()
        if row is not None and (cleaned := _clean(row[0])) != row[0]:
            connection.execute("update blog_posts set content = %s where id = %s", (cleaned, post_id))
            changed += 1
    return changed


def _clean(content: str) -> str:
    import nh3

    return nh3.clean(
        content,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        clean_content_tags={"script", "style", "iframe", "object", "template", "noscript"},
        url_schemes={"http", "https", "mailto", "tel", "data"},
        filter_style_properties=_STYLES,
        attribute_filter=_without_other_data,
    ).strip()


def _without_other_data(tag: str, attribute: str, value: str) -> str | None:
    if not value.strip().lower().startswith("data:"):
        return value
    return value if (tag, attribute) == ("img", "src") and _IMAGE.fullmatch(value.strip()) else None
