-- The old server's functions and its one trigger. Re-runnable: adoption runs this file on the old database too.

create or replace function update_forms_updated_at() returns trigger language plpgsql as $$
begin
    new.updated_at := now();
    return new;
end $$;

create or replace trigger forms_updated_at_trigger
    before update on forms for each row execute function update_forms_updated_at();

create or replace function cleanup_expired_sessions() returns integer language plpgsql as $$
declare deleted integer;
begin
    delete from user_sessions
    where revoked_at is not null or refresh_expiry_at < now() or absolute_expiry_at < now();
    get diagnostics deleted = row_count;
    return deleted;
end $$;

create or replace function cleanup_expired_rate_limits() returns integer language plpgsql as $$
declare deleted integer;
begin
    delete from auth_rate_limits
    where last_attempt_at < now() - interval '24 hours' and (locked_until is null or locked_until < now());
    get diagnostics deleted = row_count;
    return deleted;
end $$;

create or replace function cleanup_expired_mfa_challenges() returns integer language plpgsql as $$
declare deleted integer;
begin
    delete from mfa_challenges where expires_at < now() - interval '1 hour';
    get diagnostics deleted = row_count;
    return deleted;
end $$;

create or replace function cleanup_old_audit_logs(retention_days integer default 365)
returns integer language plpgsql as $$
declare deleted integer;
begin
    delete from security_audit_log where created_at < now() - make_interval(days => retention_days);
    get diagnostics deleted = row_count;
    return deleted;
end $$;

create or replace function revoke_all_user_sessions(
    p_user_id uuid, p_reason text default 'admin_revoke', p_except_session_id uuid default null
) returns integer language plpgsql as $$
declare revoked integer;
begin
    update user_sessions set revoked_at = now(), revoked_reason = p_reason
    where user_id = p_user_id and revoked_at is null and id is distinct from p_except_session_id;
    get diagnostics revoked = row_count;
    return revoked;
end $$;
