-- Replies on their way, for the look at those that nobody tries any more.
create index idx_review_replies_sending on review_replies (requested_at) where status = 'sending';
