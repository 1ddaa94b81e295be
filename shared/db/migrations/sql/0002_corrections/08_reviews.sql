update review_requests set campaign_id = null
where campaign_id is not null
  and not exists (select from review_request_campaigns c where c.id = review_requests.campaign_id);
alter table review_requests add foreign key (campaign_id) references review_request_campaigns (id) on delete set null;

-- The day that executions_today counts; a count of another day is worth nothing.
alter table review_automation_rules add column executions_day date;
comment on column review_automation_rules.executions_day is 'UTC day that executions_today counts; of another day it means 0';

-- Indexes behind foreign keys.
create index idx_reviews_flagged_by on reviews (flagged_by);
create index idx_review_response_drafts_reviewed_by on review_response_drafts (reviewed_by);
create index idx_review_response_drafts_created_by on review_response_drafts (created_by);
create index idx_review_requests_oauth_resource on review_requests (oauth_resource_id);
create index idx_review_requests_resulting_review on review_requests (resulting_review_id);
create index idx_review_requests_created_by on review_requests (created_by);
create index idx_review_request_campaigns_created_by on review_request_campaigns (created_by);
create index idx_review_automation_rules_created_by on review_automation_rules (created_by);
create index idx_review_automation_logs_draft on review_automation_logs (draft_id);
create index idx_review_automation_logs_human on review_automation_logs (human_action_by);

-- Two indexes for the review list instead of nine, and one per other list.
create index idx_reviews_client_created on reviews (client_id, review_created_at desc);
create index idx_reviews_client_response on reviews (client_id, has_response);
drop index if exists idx_reviews_client, idx_reviews_has_response, idx_reviews_is_flagged, idx_reviews_platform,
    idx_reviews_priority, idx_reviews_rating, idx_reviews_review_created, idx_reviews_sentiment;
create index idx_review_response_drafts_review_created on review_response_drafts (review_id, created_at desc);
drop index if exists idx_review_response_drafts_review, idx_review_response_drafts_created,
    idx_review_response_drafts_status;
create index idx_review_requests_client_created on review_requests (client_id, created_at desc);
drop index if exists idx_review_requests_client, idx_review_requests_created, idx_review_requests_delivery,
    idx_review_requests_status;
create index idx_review_automation_logs_client_created on review_automation_logs (client_id, created_at desc);
drop index if exists idx_review_automation_logs_client, idx_review_automation_logs_created,
    idx_review_automation_logs_status;
drop index if exists idx_review_request_campaigns_status, idx_review_automation_rules_active,
    idx_review_automation_rules_priority;
