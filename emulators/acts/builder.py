"""A paper form becomes a web form: read by the AI, published, answered, and back on paper for whoever may see it."""

from __future__ import annotations

from typing import Any

from emulators.acts import Stage, expect
from emulators.acts.browser import Browser
from emulators.cloud import LocalCloud
from emulators.demo_data import PASSWORD

_TOLD = "Robin Roe, since spring"


async def act(cloud: LocalCloud, stage: Stage) -> None:
    """Upload → save → publish → submit → read, print and export, with the trail of all of it."""
    async with Browser(cloud, "X11; Linux; team") as team:
        await team.sign_in("admin@anchor.test", PASSWORD)
        form = (await team.send("POST", "/api/forms", json=_NEW, expected=201))["form"]
        path = f"/api/forms/{form['id']}"
        async with stage.step("the AI reads a PDF of a paper form") as notes:
            sent = {"pdf": ("new-patient.pdf", _paper(), "application/pdf")}
            made = await team.send("POST", f"{path}/ai/upload-pdf", files=sent, data={"instructions": "New patients"})
            fields = [one["name"] for one in made["schema"]["fields"]]
            notes.append(", ".join(fields))
        async with stage.step("saved as a version, published, and there for visitors"):
            content = {"react_code": made["react_code"], "css_code": made["css_code"], "schema_json": made["schema"]}
            saved = (await team.send("POST", f"{path}/versions", json=content, expected=201))["version"]
            await team.send("GET", f"/embed/{form['id']}/json", expected=404)
            await team.send("POST", f"{path}/versions/{saved['id']}/publish")
            shown = await team.send("GET", f"/embed/{form['id']}/json")
            expect(shown["react_code"] == made["react_code"], "visitors see another form than was published")
        async with stage.step("an intake is sent; one person reads it, and the trail says who"):
            await team.send("POST", f"/embed/{form['id']}/submit", json={"payload": {fields[0]: _TOLD}}, expected=201)
            [row] = (await team.send("GET", f"{path}/submissions"))["submissions"]
            one = (await team.send("GET", f"{path}/submissions/{row['id']}"))["submission"]
            expect(one["payload"][fields[0]] == _TOLD, "the answers are not those that were sent")
            actions = [log["action"] for log in (await team.send("GET", f"{path}/audit-logs"))["logs"]]
            expect(actions[0] == "submission.viewed", f"the trail says {actions}")
        async with stage.step("drawn as a PDF, sealed, downloaded; the export has no answers") as notes:
            made_pdf = (await team.send("POST", f"{path}/submissions/{row['id']}/pdf"))["artifact"]
            pdf = await _file(team, f"{path}/submissions/{row['id']}/pdf/{made_pdf['id']}")
            expect(pdf.startswith(b"%PDF"), "the download is no PDF")
            lines = await _file(team, f"{path}/submissions/export")
            expect(row["id"].encode() in lines and _TOLD.encode() not in lines, "the export holds the wrong things")
            notes.append(f"{len(pdf) // 1024} kB")
        await team.send("DELETE", path)


_NEW: dict[str, Any] = {"name": "New patients", "form_type": "intake"}


async def _file(browser: Browser, path: str) -> bytes:
    """What a link of our own pages opens: by the session's cookie, without a token."""
    answer = await browser.http.get(path)
    expect(answer.status_code == 200, f"GET {path} got {answer.status_code}: {answer.text[:300]}")
    return answer.content


def _paper() -> bytes:
    from fpdf import FPDF

    page = FPDF()
    page.add_page()
    page.set_font("helvetica", size=12)
    for line in ("New patient", "Full name: ________", "E-mail: ________", "Phone: ________"):
        page.cell(text=line, new_x="LMARGIN", new_y="NEXT")
    return bytes(page.output())
