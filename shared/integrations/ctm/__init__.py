"""CallTrackingMetrics: call records, form records and their ratings."""
