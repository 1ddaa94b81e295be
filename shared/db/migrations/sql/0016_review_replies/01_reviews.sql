-- Replies on their way, for the look at those that nobody tries any more.
create index idx_review_replies_sending on review_replies (requested_at) where status = 'sending';

-- A click is one on the request's own link, which passes through us: Mailgun also counts one on the link that asks for
-- no more requests.
create or replace view review_requests_now as
select r.id, r.client_id, r.oauth_resource_id, r.customer_name, r.customer_email, r.customer_phone, r.delivery_method,
       r.review_link, r.custom_message, r.link_token, r.source, r.campaign_id, r.metadata, r.created_by, r.created_at,
       r.resulting_review_id, r.retry_count, r.last_retry_at, r.completed_at,
       coalesce(r.sent_at, e.sent_at) as sent_at,
       coalesce(r.delivered_at, e.delivered_at) as delivered_at,
       coalesce(r.opened_at, e.opened_at) as opened_at,
       r.clicked_at,
       coalesce(r.error_message, e.error_message) as error_message,
       greatest(r.updated_at, e.sent_at, e.delivered_at, e.opened_at, e.clicked_at, e.bounced_at) as updated_at,
       case
           when r.completed_at is not null or r.status = 'completed' then 'completed'
           when r.clicked_at is not null then 'clicked'
           when coalesce(r.opened_at, e.opened_at, e.clicked_at) is not null then 'opened'
           when e.bounced_at is not null then 'bounced'
           when coalesce(r.delivered_at, e.delivered_at) is not null then 'delivered'
           when e.status = 'failed' then 'failed'
           when e.sent_at is not null then 'sent'
           else r.status
       end as status
from review_requests r
left join lateral (
    select m.* from email_logs m where m.review_request_id = r.id order by m.created_at desc, m.id limit 1
) e on true;
