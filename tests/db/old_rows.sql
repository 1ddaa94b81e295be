-- Awkward rows of an old database. Row ids are readable: 00000000-0000-0000-0000-0000000000NN.
create function id(n int) returns uuid language sql immutable as
    $$ select ('00000000-0000-0000-0000-' || lpad(n::text, 12, '0'))::uuid $$;

-- The role script was never run: admin is the top role, editor below it.
insert into users (id, first_name, last_name, email, role) values
    (id(1), 'Top', 'Admin', 'Top@anchor.test', 'admin'),
    (id(2), 'Old', 'Editor', 'editor@anchor.test', 'editor'),
    (id(3), 'Cora', 'Client', 'cora@anchor.test', 'client'),
    (id(4), 'Carl', 'Client', 'carl@anchor.test', 'client');

insert into client_profiles (user_id, ctm_api_key, ctm_api_secret) values
    (id(3), 'plain-ctm-key', 'plain-ctm-secret'), (id(4), '', null);

insert into brand_assets (id, user_id, business_name, logos, style_guides, updated_at) values
    (id(11), id(3), 'Old name', '[{"id": "a"}, {"id": "b"}]', '[{"id": "g"}]', '2025-01-01'),
    (id(12), id(3), 'New name', '[{"id": "b"}, {"id": "c"}]', '[]', '2025-06-01'),
    (id(13), id(4), 'Carl', '[]', '[]', '2025-06-01');

insert into documents (id, user_id, name, created_by) values
    (id(21), id(3), 'by somebody deleted', id(99)), (id(22), id(3), 'by an admin', id(1));

insert into client_onboarding_tokens (id, user_id, token_hash, expires_at, token_value, created_at) values
    (id(31), id(3), 'hash-1', '2030-01-01', 'plain-onboarding-token', '2025-01-01'),
    (id(32), id(4), 'hash-1', '2030-01-01', null, '2025-01-02');
insert into password_reset_tokens (id, user_id, token_hash, expires_at) values (id(33), id(3), 'hash-2', '2030-01-01');

-- Groups nobody ordered, groups somebody did, items with codes of before the labels.
insert into task_workspaces (id, name) values (id(40), 'Workspace');
insert into task_boards (id, workspace_id, name) values (id(41), id(40), 'Unordered'), (id(42), id(40), 'Ordered');
insert into task_groups (id, board_id, name, order_index) values
    (id(43), id(41), 'Review', 0), (id(44), id(41), 'Backlog', 0),
    (id(45), id(42), 'Alpha', 7), (id(46), id(42), 'Beta', 0);
insert into task_items (id, group_id, name, status) values
    (id(47), id(43), 'legacy', 'needs_attention'), (id(48), id(43), 'own label', 'Waiting for client');
insert into task_subitems (id, parent_item_id, name, status) values (id(49), id(47), 'sub', 'todo');
insert into task_time_entries (id, item_id, time_spent_minutes) values (id(50), id(47), 90);

-- Calls without the second owner column; a tag, a note and a journey of calls that a reload deleted.
insert into call_logs (id, user_id, call_id, started_at) values
    (id(51), id(3), 'ctm-1', '2025-05-01'), (id(52), id(4), 'ctm-2', '2025-05-02');
insert into lead_tags (id, owner_user_id, name) values (id(53), id(3), 'hot');
insert into call_log_tags (id, call_id, tag_id) values (id(54), 'ctm-1', id(53)), (id(55), 'ctm-gone', id(53));
insert into lead_notes (id, owner_user_id, call_id, body) values (id(56), id(3), 'ctm-gone', 'call back');
insert into client_journeys (id, owner_user_id, lead_call_id, lead_call_key) values
    (id(57), id(3), id(51), null), (id(58), id(3), null, 'ctm-gone'), (id(59), id(4), null, 'ctm-2');

-- The column that no script declares.
alter table active_clients add column user_id uuid not null references users (id) on delete cascade;
insert into active_clients (id, owner_user_id, user_id, client_name) values
    (id(61), null, id(3), 'owner only in user_id'), (id(62), id(4), id(3), 'the two disagree');

insert into review_requests (id, client_id, delivery_method, review_link, campaign_id, metadata) values
    (id(71), id(3), 'email', 'https://reviews.test/1', id(99), '{}'),
    (id(72), id(3), 'email', 'https://reviews.test/2', null, jsonb_build_object('mailgun_log_id', id(83)));
insert into email_logs (id, email_type, recipient_email, subject, text_body, mailgun_id, metadata, created_at) values
    (id(81), 'mfa_otp', 'cora@anchor.test', 'Code', 'Your code is 123456', '<1@mg>', '{}', '2025-01-01'),
    (id(82), 'review_request', 'x@example.test', 'Review', 'Please', '<1@mg>',
        jsonb_build_object('review_request_id', id(71)), '2025-01-02'),
    (id(83), 'review_request', 'y@example.test', 'Review', 'Please', '<2@mg>', '{}', '2025-01-03'),
    (id(84), 'test', 'z@example.test', 'Test', 'Hello', null, '{}', '2025-01-04');

insert into oauth_providers (id, provider, client_id, client_secret) values (id(90), 'google', 'app', 'plain-app-secret');
insert into oauth_connections (id, client_id, provider, provider_account_id, access_token, refresh_token, updated_at) values
    (id(91), id(3), 'google', 'acct', 'plain-old-access', 'plain-old-refresh', '2025-01-01'),
    (id(92), id(3), 'google', 'acct', 'plain-access', 'plain-refresh', '2025-06-01'),
    (id(93), id(4), 'google', 'acct', 'plain-other', null, '2025-06-01');
insert into oauth_resources (id, client_id, oauth_connection_id, provider, resource_type, resource_id, resource_name) values
    (id(94), id(3), id(91), 'google', 'google_location', '111', 'on both'),
    (id(95), id(3), id(91), 'google', 'google_location', '222', 'on the duplicate only'),
    (id(96), id(3), id(92), 'google', 'google_location', '111', 'on both');
update oauth_resources set is_primary = true, updated_at = '2025-02-01' where id = id(95);
update oauth_resources set is_primary = true, updated_at = '2025-03-01' where id = id(96);
update oauth_connections set revoked_at = '2025-03-01', external_metadata = '{"page_token": "plain-page", "note": "kept"}'
where id = id(93);

insert into forms (id, org_id, name, form_type, status, updated_at) values
    (id(101), id(3), 'Intake', 'intake', 'published', '2025-01-01'),
    (id(102), id(1), 'Draft', 'conversion', 'draft', '2025-01-01');
insert into form_versions (id, form_id, version_number, react_code) values
    (id(103), id(101), 1, '<form>'), (id(104), id(102), 1, '<form>');
alter table forms disable trigger forms_updated_at_trigger;
update forms set active_version_id = id(103) where id = id(101);
update forms set active_version_id = id(104) where id = id(102);
alter table forms enable trigger forms_updated_at_trigger;
insert into form_submissions (id, form_id, form_version_id, submission_kind, encrypted_payload, non_phi_payload) values
    (id(105), id(101), id(103), 'intake', convert_to('{"diagnosis": "plain health data"}', 'UTF8'), null),
    (id(106), id(102), id(104), 'conversion', null, '{"name": "Visitor"}');
insert into form_draft_sessions (id, form_id, form_version_id, resume_token_hash, encrypted_partial_payload, expires_at)
values (id(107), id(101), id(103), 'resume-hash', convert_to('{"dob": "plain draft"}', 'UTF8'), '2030-01-01');
insert into form_submission_jobs (id, submission_id, job_type) values (id(108), id(105), 'email_notification');
insert into blog_posts (id, user_id, title, content, updated_at) values
    (id(110), id(3), 'Harmless', '<h2 style="text-align:center">Slate &amp; tiles</h2><img src="data:image/png;base64,iVBORw0K">',
     '2025-01-01'),
    (id(111), id(3), 'Not so', '<p onclick="x()">a</p><script>x()</script><a href="data:text/html,x">b</a><img src=x onerror=x()>',
     '2025-01-01'),
    (id(112), id(3), 'Words', 'a & b > c', '2025-01-01');
drop function id(int);
