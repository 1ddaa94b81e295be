"""What makes a handler a Cloud Function. Handlers need these names and no others."""

from shared.runtime import log, outbox
from shared.runtime.endpoint import Call, Json, endpoint
from shared.runtime.job import Job, event, schedule, task

__all__ = ["Call", "Job", "Json", "endpoint", "event", "log", "outbox", "schedule", "task"]
