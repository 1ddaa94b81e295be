-- The lookups the old server seeded.
insert into form_phi_field_definitions (field_type, display_name) values
    ('ssn', 'Social security number'), ('dob', 'Date of birth'), ('medical_record_number', 'Medical record number'),
    ('diagnosis', 'Diagnosis'), ('medication', 'Medication'), ('treatment', 'Treatment'),
    ('insurance_id', 'Insurance number'), ('health_history', 'Health history'),
    ('emergency_contact', 'Emergency contact'), ('physician', 'Physician')
on conflict (field_type) do nothing;
insert into form_ctm_allowed_fields (field_name) values
    ('utm_source'), ('utm_medium'), ('utm_campaign'), ('utm_term'), ('utm_content'), ('referrer'), ('landing_page'),
    ('form_name'), ('form_id'), ('submission_id'), ('timestamp'), ('page_url'), ('conversion_type')
on conflict (field_name) do nothing;

-- Indexes behind foreign keys.
create index idx_forms_active_version on forms (active_version_id);
create index idx_form_versions_created_by on form_versions (created_by);
create index idx_form_submissions_version on form_submissions (form_version_id);
create index idx_form_draft_sessions_version on form_draft_sessions (form_version_id);
create index idx_form_pdf_artifacts_generated_by on form_pdf_artifacts (generated_by);

create index idx_form_submissions_form_created on form_submissions (form_id, created_at desc);
drop index if exists idx_form_submissions_form, idx_form_submissions_kind, idx_form_versions_form,
    idx_form_draft_sessions_token, idx_forms_embed_token, idx_forms_status;
