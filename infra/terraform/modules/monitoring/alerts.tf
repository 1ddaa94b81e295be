# Each alert is named after its runbook page, docs/operations/runbooks/<name>.md; a test holds the two lists equal.

resource "google_monitoring_notification_channel" "email" {
  display_name = "Who keeps Anchor Functions running"
  type         = "email"
  labels       = { email_address = var.notification_email }
}

locals {
  # The error budget of 28 days burning ten times too fast for an hour: gone in under three days.
  burning = merge(
    { for kind, slo in google_monitoring_slo.availability : "${kind}-errors" => slo.name },
    { http-latency = google_monitoring_slo.latency.name },
  )

  # name → what is measured and where it becomes a problem: in each window of `window_s`, for `lasting_s` on end. `per`
  # keeps one series for each of something.
  thresholds = {
    dead-work = {
      says      = "Work was given up"
      filter    = "metric.type=\"logging.googleapis.com/user/${google_logging_metric.dead.name}\" AND resource.type=\"cloud_run_revision\""
      per       = "metric.label.function"
      align     = "ALIGN_SUM"
      reduce    = "REDUCE_SUM"
      above     = 0
      window_s  = 300
      lasting_s = 0
    }
    oldest-unacked-message = {
      says      = "A message waits for its listener for more than 10 minutes"
      filter    = "metric.type=\"pubsub.googleapis.com/subscription/oldest_unacked_message_age\" AND resource.type=\"pubsub_subscription\""
      per       = "resource.label.subscription_id"
      align     = "ALIGN_MAX"
      reduce    = "REDUCE_MAX"
      above     = 600
      window_s  = 300
      lasting_s = 300
    }
    queue-age = {
      says      = "Tasks start more than 5 minutes late"
      filter    = "metric.type=\"cloudtasks.googleapis.com/queue/task_attempt_delays\" AND resource.type=\"cloud_tasks_queue\""
      per       = "resource.label.queue_id"
      align     = "ALIGN_PERCENTILE_95"
      reduce    = "REDUCE_MAX"
      above     = 300000
      window_s  = 300
      lasting_s = 300
    }
    # An attempt that failed and one that failed for good look the same in the log: the first run and its three repeats
    # are four, within an hour whatever the deadline.
    schedule-failed = {
      says      = "A schedule's run failed with all its repeats"
      filter    = "metric.type=\"logging.googleapis.com/user/${google_logging_metric.schedule_failed.name}\" AND resource.type=\"cloud_scheduler_job\""
      per       = "metric.label.job"
      align     = "ALIGN_SUM"
      reduce    = "REDUCE_SUM"
      above     = 3
      window_s  = 3600
      lasting_s = 0
    }
    # Sending that failed once is made good by the sweep a minute later; failing for a quarter of an hour is not.
    outbox-unsent = {
      says      = "Accepted work cannot be handed to Cloud Tasks or Pub/Sub"
      filter    = "metric.type=\"logging.googleapis.com/user/${google_logging_metric.unsent.name}\" AND resource.type=\"cloud_run_revision\""
      per       = "metric.label.target"
      align     = "ALIGN_SUM"
      reduce    = "REDUCE_SUM"
      above     = 0
      window_s  = 300
      lasting_s = 900
    }
    function-broken = {
      says      = "A function does not start, runs out of memory, or gets no instance"
      filter    = "metric.type=\"logging.googleapis.com/user/${google_logging_metric.broken.name}\" AND resource.type=\"cloud_run_revision\""
      per       = "metric.label.service"
      align     = "ALIGN_SUM"
      reduce    = "REDUCE_SUM"
      above     = 2
      window_s  = 300
      lasting_s = 0
    }
    database-connections = {
      says      = "More than 80% of PostgreSQL's connections are in use"
      filter    = "metric.type=\"cloudsql.googleapis.com/database/postgresql/num_backends\" AND resource.type=\"cloudsql_database\" AND resource.label.database_id=\"${var.database}\""
      per       = "resource.label.database_id"
      align     = "ALIGN_MAX"
      reduce    = "REDUCE_SUM"
      above     = floor(var.max_connections * 0.8)
      window_s  = 300
      lasting_s = 300
    }
    database-disk = {
      says      = "The database's disk is more than 85% full"
      filter    = "metric.type=\"cloudsql.googleapis.com/database/disk/utilization\" AND resource.type=\"cloudsql_database\" AND resource.label.database_id=\"${var.database}\""
      per       = "resource.label.database_id"
      align     = "ALIGN_MAX"
      reduce    = "REDUCE_MAX"
      above     = 0.85
      window_s  = 300
      lasting_s = 900
    }
  }
}

resource "google_monitoring_alert_policy" "burning" {
  for_each     = local.burning
  display_name = each.key
  combiner     = "OR"
  severity     = startswith(each.key, "http") ? "CRITICAL" : "ERROR"

  conditions {
    display_name = "The error budget burns ten times too fast"
    condition_threshold {
      filter          = "select_slo_burn_rate(\"${each.value}\", \"3600s\")"
      comparison      = "COMPARISON_GT"
      threshold_value = 10
      duration        = "0s"
    }
  }

  notification_channels = [google_monitoring_notification_channel.email.id]
  documentation {
    content   = "What to do: ${var.runbooks}/${each.key}.md"
    mime_type = "text/markdown"
  }
  alert_strategy {
    auto_close = "3600s"
  }
}

resource "google_monitoring_alert_policy" "threshold" {
  for_each     = local.thresholds
  display_name = each.key
  combiner     = "OR"
  severity     = "ERROR"

  conditions {
    display_name = each.value.says
    condition_threshold {
      filter          = each.value.filter
      comparison      = "COMPARISON_GT"
      threshold_value = each.value.above
      duration        = "${each.value.lasting_s}s"
      aggregations {
        alignment_period     = "${each.value.window_s}s"
        per_series_aligner   = each.value.align
        cross_series_reducer = each.value.reduce
        group_by_fields      = [each.value.per]
      }
    }
  }

  notification_channels = [google_monitoring_notification_channel.email.id]
  documentation {
    content   = "What to do: ${var.runbooks}/${each.key}.md"
    mime_type = "text/markdown"
  }
  alert_strategy {
    auto_close = "86400s"
  }
}

# Silence is a failure too: some schedule runs every minute, so a quarter of an hour without a run means none does.
resource "google_monitoring_alert_policy" "schedule_silent" {
  count        = contains(keys(google_logging_metric.runs), "schedule") ? 1 : 0
  display_name = "schedule-silent"
  combiner     = "OR"
  severity     = "ERROR"

  conditions {
    display_name = "No schedule has run for 15 minutes"
    condition_absent {
      filter   = "metric.type=\"logging.googleapis.com/user/${google_logging_metric.runs["schedule"].name}\" AND resource.type=\"cloud_run_revision\""
      duration = "900s"
      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_SUM"
        cross_series_reducer = "REDUCE_SUM"
      }
    }
  }

  notification_channels = [google_monitoring_notification_channel.email.id]
  documentation {
    content   = "What to do: ${var.runbooks}/schedule-silent.md"
    mime_type = "text/markdown"
  }
}

resource "google_monitoring_alert_policy" "gateway_down" {
  count        = var.watch_gateway ? 1 : 0
  display_name = "gateway-down"
  combiner     = "OR"
  severity     = "CRITICAL"

  conditions {
    display_name = "/api/health/ready fails from several places"
    condition_threshold {
      filter          = "metric.type=\"monitoring.googleapis.com/uptime_check/check_passed\" AND resource.type=\"uptime_url\" AND metric.label.check_id=\"${google_monitoring_uptime_check_config.gateway[0].uptime_check_id}\""
      comparison      = "COMPARISON_GT"
      threshold_value = 1
      duration        = "300s"
      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_NEXT_OLDER"
        cross_series_reducer = "REDUCE_COUNT_FALSE"
        group_by_fields      = ["resource.label.host"]
      }
    }
  }

  notification_channels = [google_monitoring_notification_channel.email.id]
  documentation {
    content   = "What to do: ${var.runbooks}/gateway-down.md"
    mime_type = "text/markdown"
  }
}
