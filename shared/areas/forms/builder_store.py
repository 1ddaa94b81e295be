"""SQL over forms and their versions as staff work on them.

Every statement asks ``form_in_reach``: *viewer* is a member of the team, or None for an admin, who reaches all forms.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from shared.db.database import Executor, Record

# Form of spec §1. A number is sent as one: the dashboard adds them up.
_FORM = """
    'id', f.id, 'org_id', f.org_id, 'client_id', f.client_id, 'name', f.name, 'description', f.description,
    'form_type', f.form_type, 'status', f.status, 'active_version_id', f.active_version_id,
    'published_version_id', f.published_version_id, 'settings_json', f.settings_json, 'embed_token', f.embed_token,
    'created_at', iso(f.created_at), 'updated_at', iso(f.updated_at)
"""
_VERSION = """
    'id', v.id, 'form_id', v.form_id, 'version_number', v.version_number, 'react_code', v.react_code,
    'css_code', v.css_code, 'schema_json', v.schema_json, 'ai_generated', v.ai_generated,
    'ai_source_pdf_path', v.ai_source_pdf_path, 'ai_prompt_used', v.ai_prompt_used,
    'published_at', iso(v.published_at), 'created_at', iso(v.created_at), 'created_by', v.created_by
"""
_INFO = """
    'id', v.id, 'version_number', v.version_number, 'published_at', iso(v.published_at),
    'created_at', iso(v.created_at), 'ai_generated', v.ai_generated, 'created_by', v.created_by
"""


async def list_forms(db: Executor, viewer: UUID | None, *, client_id: UUID | None, status: str | None) -> str:
    """``{"forms": […]}`` as JSON text, last changed first."""
    text: str = await db.fetchval(
        f"""
        select json_build_object('forms', coalesce(json_agg(json_build_object(
            {_FORM},
            'active_version_number', v.version_number,
            'submission_count', coalesce(s.count, 0)
        ) order by f.updated_at desc, f.id), '[]'::json))::text
        from forms f
        left join form_versions v on v.id = f.active_version_id
        left join (select form_id, count(*) from form_submissions group by form_id) s on s.form_id = f.id
        where form_in_reach(f.client_id, $1) and ($2::uuid is null or f.client_id = $2)
          and ($3::text is null or f.status = $3)
        """,  # noqa: S608  our own text
        viewer,
        client_id,
        status,
    )
    return text


async def show_form(db: Executor, viewer: UUID | None, form_id: UUID) -> str | None:
    """``{"form": FormDetail, "versions": [VersionInfo]}`` as JSON text; None when there is none within reach."""
    text: str | None = await db.fetchval(
        f"""
        select json_build_object(
            'form', json_build_object(
                {_FORM},
                'active_version_number', a.version_number, 'active_react_code', a.react_code,
                'active_css_code', a.css_code, 'active_schema', a.schema_json),
            'versions', (
                select coalesce(json_agg(json_build_object({_INFO}) order by v.version_number desc), '[]'::json)
                from form_versions v where v.form_id = f.id)
        )::text
        from forms f left join form_versions a on a.id = f.active_version_id
        where f.id = $2 and form_in_reach(f.client_id, $1)
        """,  # noqa: S608
        viewer,
        form_id,
    )
    return text


async def form_as_json(db: Executor, form_id: UUID) -> str:
    """``{"form": Form}`` of a form that the caller has just found or made."""
    text: str = await db.fetchval(
        f"select json_build_object('form', json_build_object({_FORM}))::text from forms f where f.id = $1",  # noqa: S608
        form_id,
    )
    return text


async def find(db: Executor, viewer: UUID | None, form_id: UUID, *, lock: bool = False) -> Record | None:
    """A form within reach; locked, nobody else changes it or its versions until the transaction ends."""
    return await db.fetchrow(
        f"""
        select f.* from forms f where f.id = $2 and form_in_reach(f.client_id, $1) {"for update of f" if lock else ""}
        """,  # noqa: S608
        viewer,
        form_id,
    )


async def may_own(db: Executor, viewer: UUID | None, client_id: UUID) -> bool:
    """Whether a form may be given to this client: one of ours, within reach."""
    found: bool = await db.fetchval(
        "select exists (select from users u where u.id = $2 and u.role = 'client' and form_in_reach(u.id, $1))",
        viewer,
        client_id,
    )
    return found


async def insert_form(
    db: Executor,
    *,
    form_id: UUID,
    name: str,
    description: str | None,
    form_type: str,
    settings: dict[str, Any],
    embed_token: str,
    client_id: UUID | None,
) -> None:
    await db.execute(
        """
        insert into forms (id, name, description, form_type, settings_json, embed_token, client_id, org_id)
        values ($1, $2, $3, $4, $5, $6, $7, $7)
        """,
        form_id, name, description, form_type, settings, embed_token, client_id,
    )  # fmt: skip


async def update_form(db: Executor, form_id: UUID, changes: dict[str, Any]) -> None:
    """Set *changes* (column → value); the columns are the caller's own words."""
    columns = ", ".join(f"{name} = ${at}" for at, name in enumerate(changes, start=2))
    await db.execute(f"update forms set {columns} where id = $1", form_id, *changes.values())  # noqa: S608


async def delete_form(db: Executor, form_id: UUID) -> None:
    await db.execute("delete from forms where id = $1", form_id)


async def has_submissions(db: Executor, form_id: UUID) -> bool:
    found: bool = await db.fetchval("select exists (select from form_submissions where form_id = $1)", form_id)
    return found


async def insert_version(
    db: Executor,
    *,
    version_id: UUID,
    form_id: UUID,
    code: str,
    css: str | None,
    schema: dict[str, Any],
    created_by: UUID,
    ai_run: Record | None = None,
) -> int:
    """Keep a version as the newest and active one; its number. The caller holds the form's lock."""
    number: int = await db.fetchval(
        """
        with version as (
            insert into form_versions (id, form_id, version_number, react_code, css_code, schema_json, created_by,
                                       ai_generated, ai_prompt_used, ai_source_pdf_path)
            select $1, $2, coalesce(max(version_number), 0) + 1, $3, $4, $5, $6, $7, $8, $9
            from form_versions where form_id = $2
            returning id, version_number
        )
        select version_number from version
        """,
        version_id, form_id, code, css, schema, created_by,
        ai_run is not None, ai_run and ai_run["instructions"], ai_run and ai_run["source_path"],
    )  # fmt: skip
    await db.execute("update forms set active_version_id = $2 where id = $1", form_id, version_id)
    return number


async def version_as_json(db: Executor, viewer: UUID | None, form_id: UUID, version_id: UUID) -> str | None:
    """Version of spec §1 as JSON text."""
    text: str | None = await db.fetchval(
        f"""
        select json_build_object({_VERSION})::text
        from form_versions v join forms f on f.id = v.form_id
        where v.id = $3 and f.id = $2 and form_in_reach(f.client_id, $1)
        """,  # noqa: S608
        viewer,
        form_id,
        version_id,
    )
    return text


async def list_versions(db: Executor, viewer: UUID | None, form_id: UUID) -> str | None:
    """``{"versions": [VersionInfo]}`` as JSON text, newest first; None when the form is not within reach."""
    text: str | None = await db.fetchval(
        f"""
        select json_build_object('versions', (
            select coalesce(json_agg(json_build_object({_INFO}) order by v.version_number desc), '[]'::json)
            from form_versions v where v.form_id = f.id))::text
        from forms f where f.id = $2 and form_in_reach(f.client_id, $1)
        """,  # noqa: S608
        viewer,
        form_id,
    )
    return text


async def version(db: Executor, viewer: UUID | None, form_id: UUID, version_id: UUID | None) -> Record | None:
    """A version (the active one without *version_id*) with its form's name, type and settings."""
    return await db.fetchrow(
        """
        select v.*, f.name, f.form_type, f.settings_json
        from forms f join form_versions v on v.form_id = f.id and v.id = coalesce($3, f.active_version_id)
        where f.id = $2 and form_in_reach(f.client_id, $1)
        """,
        viewer,
        form_id,
        version_id,
    )


async def publish(db: Executor, form_id: UUID, version_id: UUID) -> None:
    """Show this version to visitors from now on, and let the editor go on from it."""
    await db.execute(
        """
        with version as (update form_versions set published_at = now() where id = $2 and form_id = $1 returning id)
        update forms set status = 'published', active_version_id = version.id, published_version_id = version.id
        from version where forms.id = $1
        """,
        form_id,
        version_id,
    )


# --- the AI's runs ----------------------------------------------------------------------------------------------------


async def insert_ai_run(
    db: Executor,
    *,
    run_id: UUID,
    form_id: UUID,
    kind: str,
    instructions: str,
    file_id: UUID | None,
    source_path: str | None,
    created_by: UUID,
) -> None:
    await db.execute(
        """
        insert into form_ai_runs (id, form_id, kind, instructions, file_id, source_path, created_by)
        values ($1, $2, $3, $4, $5, $6, $7)
        """,
        run_id, form_id, kind, instructions, file_id, source_path, created_by,
    )  # fmt: skip


async def ai_run(db: Executor, form_id: UUID, run_id: UUID) -> Record | None:
    return await db.fetchrow("select * from form_ai_runs where id = $2 and form_id = $1", form_id, run_id)


async def files_of_form(db: Executor, form_id: UUID) -> list[UUID]:
    """Every file that a form's rows hold: drawn PDFs, what visitors sent, and documents that the AI read."""
    rows = await db.fetch(
        """
        select a.file_id from form_pdf_artifacts a join form_submissions s on s.id = a.submission_id
        where s.form_id = $1 and a.file_id is not null
        union select file_id from form_submission_files where form_id = $1
        union select file_id from form_ai_runs where form_id = $1 and file_id is not null
        """,
        form_id,
    )
    return [row["file_id"] for row in rows]


# --- how often a form is seen -----------------------------------------------------------------------------------------


async def stats(db: Executor, viewer: UUID | None, form_id: UUID, *, days: int) -> str | None:
    """``{"views", "starts", "completions", "completion_rate", "days": […]}`` as JSON text, oldest day first."""
    text: str | None = await db.fetchval(
        """
        with form as (select id from forms where id = $2 and form_in_reach(client_id, $1)),
        span as (
            select generate_series(today - ($3 - 1), today, interval '1 day')::date as day
            from (select (now() at time zone 'UTC')::date as today) t
        ),
        completed as (
            select (s.created_at at time zone 'UTC')::date as day, count(*) as completions
            from form_submissions s join form on form.id = s.form_id
            where s.created_at >= (select min(day) from span)::timestamp at time zone 'UTC'
            group by 1
        ),
        counted as (
            select span.day, coalesce(a.views, 0) as views, coalesce(a.starts, 0) as starts,
                   coalesce(completed.completions, 0) as completions
            from span cross join form
            left join form_activity a on a.form_id = form.id and a.day = span.day
            left join completed on completed.day = span.day
        )
        select json_build_object(
            'views', sum(views), 'starts', sum(starts), 'completions', sum(completions),
            'completion_rate', case when sum(views) > 0
                then round(least(sum(completions)::numeric / sum(views), 1), 4) end,
            'days', json_agg(json_build_object(
                'day', day, 'views', views, 'starts', starts, 'completions', completions) order by day)
        )::text
        from counted having count(*) > 0
        """,
        viewer,
        form_id,
        days,
    )
    return text
