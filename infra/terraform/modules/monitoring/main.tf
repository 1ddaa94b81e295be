# What is measured, promised, and shown. Alerts are in alerts.tf, one runbook page each.

locals {
  # trigger → pattern of its services, for the logs of work (HTTP requests have a log event of their own)
  services = {
    for trigger in ["task", "event", "schedule"] : trigger =>
    join("|", sort([for service, kind in var.services : service if kind == trigger]))
  }
  runs = "resource.type=\"cloud_run_revision\" AND "
  counted = merge(
    {
      http = "${local.runs}jsonPayload.message=\"request\""
    },
    {
      for trigger, names in local.services : trigger =>
      "${local.runs}jsonPayload.message=\"job\" AND resource.labels.service_name=~\"^(${names})$\"" if names != ""
    }
  )
  # Share of runs that must not end in a server error, over 28 days. Work is tried again by its sender, so a run that
  # fails is a delay and not a loss; what is lost is `dead-work`.
  goals = { http = 0.999, task = 0.99, event = 0.99, schedule = 0.99 }
}

resource "google_logging_metric" "runs" {
  for_each    = local.counted
  name        = "anchor/${each.key}/runs"
  description = "Runs of ${each.key} functions"
  filter      = each.value

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
    labels {
      key = "function"
    }
  }
  label_extractors = { function = "EXTRACT(jsonPayload.function)" }
}

resource "google_logging_metric" "failures" {
  for_each    = local.counted
  name        = "anchor/${each.key}/failures"
  description = "Runs of ${each.key} functions that ended in a server error"
  filter      = "${each.value} AND jsonPayload.status>=500"

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
    labels {
      key = "function"
    }
  }
  label_extractors = { function = "EXTRACT(jsonPayload.function)" }
}

resource "google_logging_metric" "duration" {
  name            = "anchor/http/duration_ms"
  description     = "Time from a request's arrival in its function to its answer"
  filter          = local.counted.http
  value_extractor = "EXTRACT(jsonPayload.duration_ms)"

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "DISTRIBUTION"
    unit        = "ms"
    labels {
      key = "function"
    }
  }
  label_extractors = { function = "EXTRACT(jsonPayload.function)" }

  bucket_options {
    exponential_buckets {
      num_finite_buckets = 40
      growth_factor      = 1.4
      scale              = 1
    }
  }
}

resource "google_logging_metric" "dead" {
  name        = "anchor/dead"
  description = "Work that was given up and is kept for a person"
  filter      = "${local.runs}jsonPayload.message=(\"parked\" OR \"event_dead\" OR \"dead_message_without_outbox_id\")"

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
    labels {
      key = "function"
    }
  }
  label_extractors = { function = "EXTRACT(jsonPayload.function)" }
}

resource "google_logging_metric" "unsent" {
  name        = "anchor/unsent"
  description = "Attempts to send accepted work that Cloud Tasks or Pub/Sub refused"
  filter      = "${local.runs}jsonPayload.message=\"outbox_not_sent\""

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
    labels {
      key = "target"
    }
  }
  label_extractors = { target = "EXTRACT(jsonPayload.target)" }
}

# What Cloud Run itself says of an instance, and of requests that none took: our own lines are missing just then.
# https://cloud.google.com/run/docs/logging (run.googleapis.com/varlog/system, run.googleapis.com/requests)
resource "google_logging_metric" "broken" {
  name        = "anchor/broken"
  description = "Instances that failed, and requests that no instance took"
  filter      = "${local.runs}severity>=ERROR AND (logName:\"run.googleapis.com%2Fvarlog%2Fsystem\" OR (logName:\"run.googleapis.com%2Frequests\" AND textPayload:*))"

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
    labels {
      key = "service"
    }
  }
  label_extractors = { service = "EXTRACT(resource.labels.service_name)" }
}

resource "google_logging_metric" "schedule_failed" {
  name        = "anchor/schedule_failed"
  description = "Attempts of Cloud Scheduler that got no 2xx"
  filter      = "resource.type=\"cloud_scheduler_job\" AND severity>=ERROR"

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
    labels {
      key = "job"
    }
  }
  label_extractors = { job = "EXTRACT(resource.labels.job_id)" }
}

# ---- promises

resource "google_monitoring_custom_service" "this" {
  service_id   = "anchor"
  display_name = "Anchor Functions"
}

resource "google_monitoring_slo" "availability" {
  for_each            = local.counted
  service             = google_monitoring_custom_service.this.service_id
  slo_id              = "${each.key}-availability"
  display_name        = "${each.key}: ${local.goals[each.key] * 100}% of runs without a server error"
  goal                = local.goals[each.key]
  rolling_period_days = 28

  request_based_sli {
    good_total_ratio {
      total_service_filter = "metric.type=\"logging.googleapis.com/user/${google_logging_metric.runs[each.key].name}\" AND resource.type=\"cloud_run_revision\""
      bad_service_filter   = "metric.type=\"logging.googleapis.com/user/${google_logging_metric.failures[each.key].name}\" AND resource.type=\"cloud_run_revision\""
    }
  }
}

resource "google_monitoring_slo" "latency" {
  service             = google_monitoring_custom_service.this.service_id
  slo_id              = "http-latency"
  display_name        = "http: 99% of requests answered within ${var.latency_ms} ms"
  goal                = 0.99
  rolling_period_days = 28

  request_based_sli {
    distribution_cut {
      distribution_filter = "metric.type=\"logging.googleapis.com/user/${google_logging_metric.duration.name}\" AND resource.type=\"cloud_run_revision\""
      range {
        max = var.latency_ms
      }
    }
  }
}

# ---- is it there at all

resource "google_monitoring_uptime_check_config" "gateway" {
  count        = var.watch_gateway ? 1 : 0
  display_name = "Gateway, function and database answer"
  timeout      = "10s"
  period       = "300s"

  http_check {
    path         = "/api/health/ready"
    port         = 443
    use_ssl      = true
    validate_ssl = true
  }

  monitored_resource {
    type   = "uptime_url"
    labels = { project_id = var.project_id, host = var.hostname }
  }
}

# ---- one page that shows it

locals {
  charts = {
    "HTTP requests by function"        = "metric.type=\"logging.googleapis.com/user/anchor/http/runs\""
    "HTTP server errors by function"   = "metric.type=\"logging.googleapis.com/user/anchor/http/failures\""
    "Work not sent"                    = "metric.type=\"logging.googleapis.com/user/anchor/unsent\""
    "Instances that failed"            = "metric.type=\"logging.googleapis.com/user/anchor/broken\""
    "Dead work"                        = "metric.type=\"logging.googleapis.com/user/anchor/dead\""
    "Instances by function"            = "metric.type=\"run.googleapis.com/container/instance_count\" resource.type=\"cloud_run_revision\""
    "Container start-up latency"       = "metric.type=\"run.googleapis.com/container/startup_latencies\" resource.type=\"cloud_run_revision\""
    "Cloud Tasks: waiting"             = "metric.type=\"cloudtasks.googleapis.com/queue/depth\" resource.type=\"cloud_tasks_queue\""
    "Cloud Tasks: delay of attempts"   = "metric.type=\"cloudtasks.googleapis.com/queue/task_attempt_delays\" resource.type=\"cloud_tasks_queue\""
    "Pub/Sub: oldest message not done" = "metric.type=\"pubsub.googleapis.com/subscription/oldest_unacked_message_age\" resource.type=\"pubsub_subscription\""
    "Schedules that failed"            = "metric.type=\"logging.googleapis.com/user/anchor/schedule_failed\""
    "Database connections"             = "metric.type=\"cloudsql.googleapis.com/database/postgresql/num_backends\" resource.type=\"cloudsql_database\""
    "Database CPU"                     = "metric.type=\"cloudsql.googleapis.com/database/cpu/utilization\" resource.type=\"cloudsql_database\""
    "Database disk"                    = "metric.type=\"cloudsql.googleapis.com/database/disk/utilization\" resource.type=\"cloudsql_database\""
  }
  distributions = ["Container start-up latency", "Cloud Tasks: delay of attempts"]
  gauges        = ["Instances by function", "Cloud Tasks: waiting", "Pub/Sub: oldest message not done", "Database connections", "Database CPU", "Database disk"]
}

resource "google_monitoring_dashboard" "this" {
  dashboard_json = jsonencode({
    displayName = "Anchor Functions"
    mosaicLayout = {
      columns = 12
      tiles = [
        for index, title in keys(local.charts) : {
          xPos   = index % 3 * 4
          yPos   = floor(index / 3) * 4
          width  = 4
          height = 4
          widget = {
            title = title
            xyChart = {
              dataSets = [{
                plotType = "LINE"
                timeSeriesQuery = {
                  timeSeriesFilter = {
                    filter = local.charts[title]
                    aggregation = {
                      alignmentPeriod = "300s"
                      perSeriesAligner = (
                        contains(local.distributions, title) ? "ALIGN_PERCENTILE_95" :
                        contains(local.gauges, title) ? "ALIGN_MAX" : "ALIGN_RATE"
                      )
                    }
                  }
                }
              }]
            }
          }
        }
      ]
    }
  })
}
