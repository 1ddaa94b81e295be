output "alerts" {
  value = sort(concat(
    keys(google_monitoring_alert_policy.burning),
    keys(google_monitoring_alert_policy.threshold),
    google_monitoring_alert_policy.schedule_silent[*].display_name,
    google_monitoring_alert_policy.gateway_down[*].display_name,
  ))
}
