-- Where a mail program's own button ends mails of this kind (RFC 8058); null for mails that answer what somebody did.
alter table email_logs add column unsubscribe_url text;
