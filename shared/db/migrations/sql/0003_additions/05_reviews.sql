-- The one state of a review, derived from what is stored, so that it cannot disagree. As a column: review.review_state.
create function review_state(review reviews) returns text language sql stable parallel safe as $$
    select case
        when review.has_response then 'responded'
        when review.is_flagged then 'flagged'
        else coalesce((
            select d.status from review_response_drafts d
            where d.review_id = review.id and d.status in ('draft', 'approved')
            order by d.created_at desc, d.id limit 1
        ), 'pending')
    end
$$;
