-- PostgreSQL writes the body of a SQL function into the query that calls it only when the function promises no more than
-- its body does, and to_char is stable. Each moment of each row of every list is told through this one: a third of the cost.
alter function iso(timestamptz) stable;
