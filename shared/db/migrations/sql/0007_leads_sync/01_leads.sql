alter table lead_syncs
    add column ctm_account_number text,
    add column rating_retry_at timestamptz;
comment on column lead_syncs.ctm_account_number is 'whose calls the cursor and the page token are about; another account is read from its beginning';
comment on column lead_syncs.rating_retry_at is 'when the client''s waiting ratings are tried again: one task for all of them';
comment on column call_logs.classify_attempts is 'how often the AI answered something that is no classification of these words';
