output "summary" {
  value = {
    cron     = google_cloud_scheduler_job.this.schedule
    uri      = google_cloud_scheduler_job.this.http_target[0].uri
    audience = google_cloud_scheduler_job.this.http_target[0].oidc_token[0].audience
    caller   = google_cloud_scheduler_job.this.http_target[0].oidc_token[0].service_account_email
    paused   = google_cloud_scheduler_job.this.paused
  }
}
