"""What makes a handler a Cloud Function. Handlers need these names and no others."""

from shared.runtime import log, outbox
from shared.runtime.endpoint import Call, Json, endpoint
from shared.runtime.job import Job, event, schedule, task
from shared.runtime.multipart import File, Form
from shared.runtime.streaming import Streamed

__all__ = ["Call", "File", "Form", "Job", "Json", "Streamed", "endpoint", "event", "log", "outbox", "schedule", "task"]
