# A Cloud Scheduler job that calls one function. Repeats are harmless: the scheduled time is the work's key.

resource "google_cloud_scheduler_job" "this" {
  name             = var.service
  region           = var.region
  description      = "Runs the function ${var.name}"
  schedule         = var.cron
  time_zone        = "Etc/UTC"
  attempt_deadline = "${max(15, var.request_timeout_s + 10)}s" # 15 s to 30 min; a test holds schedules to it
  paused           = var.paused

  retry_config {
    retry_count          = 3
    min_backoff_duration = "10s"
    max_backoff_duration = "60s"
    max_doublings        = 2
  }

  http_target {
    uri         = var.url
    http_method = "POST"
    oidc_token {
      service_account_email = var.invoker_email
      audience              = var.url
    }
  }
}
