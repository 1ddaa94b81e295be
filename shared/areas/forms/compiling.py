"""JSX to JavaScript for the builder's preview, by esbuild. Takes processor time: call it in a thread."""

from __future__ import annotations

import re
import warnings

from shared.errors import Problem

_END = "\n;\n"  # esbuild answers a mistake with nothing: with this, right code is never nothing
_IMPORT = re.compile(r"^import\b[^;]*;\n?", re.MULTILINE)
_DEFAULT_NAMED = re.compile(r"^export default ((?:async )?(?:function\*?|class)) ([\w$]+)", re.MULTILINE)
_DEFAULT = re.compile(r"^export default ", re.MULTILINE)
_LIST = re.compile(r"^export \{[^}]*\}(?: from [^;]*)?;\n?", re.MULTILINE)
_LIST_DEFAULT = re.compile(r"([\w$]+) as default")
_COMPONENT = "FormComponent"


def compile_jsx(code: str) -> str:
    """*code* as the body of a function that defines ``FormComponent`` from ``React.createElement``.

    Imports are left out, the default export is what ``FormComponent`` stands for. Empty code stays empty. A mistake in
    the code is a Problem (400, ``SYNTAX_ERROR``).
    """
    if not code.strip():
        return ""
    compiled = _transform(code.replace("\x00", "") + _END)
    if not compiled:
        raise Problem("The code has a syntax error.", code="SYNTAX_ERROR", detail="It cannot be read as JSX.")
    return _as_body(re.sub(r"(?:^|\n);\s*$", "", compiled))


def _as_body(code: str) -> str:
    """A module without what only a module may hold. esbuild writes each of these at the beginning of a line."""
    body = _IMPORT.sub("", code)
    exported = next((found[1] for one in _LIST.finditer(body) if (found := _LIST_DEFAULT.search(one[0]))), None)
    body = _LIST.sub("", body)
    if named := _DEFAULT_NAMED.search(body):
        exported = named[2]
        body = _DEFAULT_NAMED.sub(r"\1 \2", body)
    elif whole := re.search(r"^export default ([\w$]+);\n?", body, re.MULTILINE):
        exported = whole[1]
        body = body.replace(whole[0], "")
    else:
        body = _DEFAULT.sub(f"const {_COMPONENT} = ", body)
    body = re.sub(r"^export (?=(?:async )?(?:function|class|const|let|var)\b)", "", body, flags=re.MULTILINE)
    return f"{body.rstrip()}\nconst {_COMPONENT} = {exported};" if exported not in (None, _COMPONENT) else body.rstrip()


def _transform(code: str) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the binding looks for its library by way of distutils
        from esbuild_py import transform  # type: ignore[import-untyped]
    return str(transform(code) or "")
