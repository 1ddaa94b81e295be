"""Who did what with forms and submissions. Every entry names its form; none holds an answer or a secret."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from shared.db.database import Executor

Entity = Literal["form", "version", "submission", "pdf", "file", "ai_run"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Editor:
    """The member of staff who asks, and from where."""

    id: UUID
    is_admin: bool
    ip: str
    user_agent: str
    impersonator_id: UUID | None = None  # the admin who has signed in as this person

    @property
    def viewer(self) -> UUID | None:
        """Whose reach counts; None: all forms are within it."""
        return None if self.is_admin else self.id


async def record(
    db: Executor,
    editor: Editor | None,
    action: str,
    entity: Entity,
    entity_id: UUID,
    *,
    form_id: UUID,
    **details: object,
) -> None:
    """Keep one entry, in the transaction of what it tells; *editor* None: the system itself."""
    told = {"form_id": str(form_id), **details}
    if editor is not None and editor.impersonator_id is not None:
        told["impersonator_id"] = str(editor.impersonator_id)
    await db.execute(
        """
        insert into form_audit_logs (actor_id, action, entity_type, entity_id, metadata_json, ip_address, user_agent)
        values ($1, $2, $3, $4, $5, $6, $7)
        """,
        editor and editor.id, action, entity, entity_id, told, editor and editor.ip, editor and editor.user_agent,
    )  # fmt: skip


async def listed(db: Executor, form_id: UUID, *, limit: int, offset: int) -> str:
    """``{"logs": […], "total"}`` of a form as JSON text, newest first. Spec api-forms F12."""
    text: str = await db.fetchval(
        """
        select json_build_object(
            'total', (select count(*) from form_audit_logs where metadata_json ->> 'form_id' = $1::uuid::text
                      or entity_type = 'form' and entity_id = $1::uuid),
            'logs', coalesce(json_agg(json_build_object(
                'id', l.id, 'actor_id', l.actor_id, 'action', l.action, 'entity_type', l.entity_type,
                'entity_id', l.entity_id, 'metadata_json', l.metadata_json, 'ip_address', host(l.ip_address),
                'user_agent', l.user_agent, 'created_at', iso(l.created_at), 'first_name', u.first_name,
                'last_name', u.last_name, 'email', u.email
            ) order by l.created_at desc, l.id), '[]'::json)
        )::text
        from (
            select * from form_audit_logs
            where metadata_json ->> 'form_id' = $1::uuid::text or entity_type = 'form' and entity_id = $1::uuid
            order by created_at desc, id limit $2 offset $3
        ) l
        left join users u on u.id = l.actor_id
        """,
        form_id,
        limit,
        offset,
    )
    return text
