-- What the AI took out of a visitor's words: {service, timing, place, budget}, each where it was said.
alter table form_submissions add column extracted jsonb not null default '{}';
