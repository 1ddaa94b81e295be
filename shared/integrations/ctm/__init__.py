"""CallTrackingMetrics: call records, form records and their ratings."""

from shared.integrations.ctm.client import CtmClient, CtmRecord, connect, record_id

__all__ = ["CtmClient", "CtmRecord", "connect", "record_id"]
