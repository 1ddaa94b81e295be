"""Mailgun: sends mail, and tells by webhook what became of it."""

from shared.integrations.mailgun.client import MailgunClient, Message, SentMessage, connect
from shared.integrations.mailgun.webhook import BadProof, MailEvent, parse, verify

__all__ = ["BadProof", "MailEvent", "MailgunClient", "Message", "SentMessage", "connect", "parse", "verify"]
