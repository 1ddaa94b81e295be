"""The two small pages of whoever wants no more requests for reviews. They need no script."""

from __future__ import annotations

import html
from string import Template

_PAGE = Template("""<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>$title</title>
<meta name="robots" content="noindex"></head>
<body style="max-width:36em;margin:4em auto;padding:0 1em;font:16px/1.5 Arial,Helvetica,sans-serif">
<h1 style="font-size:1.4em">$title</h1>
$content
</body>
</html>
""")


def ask(business: str) -> str:
    """The page that asks; its button posts to its own address."""
    content = (
        f"<p>{html.escape(business)} will not ask you for reviews by e-mail any more.</p>"
        '<form method="post"><button style="padding:.6em 1.2em;font:inherit">Do not ask me again</button></form>'
    )
    return _PAGE.substitute(title="No more requests?", content=content)


def done() -> str:
    """The page after that."""
    return _PAGE.substitute(title="Done", content="<p>You will not be asked again.</p>")
