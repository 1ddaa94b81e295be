# A Cloud Tasks queue: how fast it hands out work, and how it tries again.

resource "google_cloud_tasks_queue" "this" {
  name     = var.queue.name
  location = var.region

  rate_limits {
    max_dispatches_per_second = var.queue.per_second
    max_concurrent_dispatches = var.queue.at_once
  }

  retry_config {
    max_attempts  = var.queue.attempts
    min_backoff   = "${var.queue.min_backoff_s}s"
    max_backoff   = "${var.queue.max_backoff_s}s"
    max_doublings = var.queue.doublings
    # No max_retry_duration: with both set, work would be retried until both are spent.
  }

  stackdriver_logging_config {
    sampling_ratio = var.logged_share
  }
}
