output "name" {
  value = google_pubsub_topic.this.name
}

output "id" {
  description = "From our own words, so that a plan knows it before the topic exists."
  value       = "projects/${var.project_id}/topics/${google_pubsub_topic.this.name}"
}

output "subscriptions" {
  value = { for name, subscription in google_pubsub_subscription.listener : name => {
    endpoint = subscription.push_config[0].push_endpoint
    audience = subscription.push_config[0].oidc_token[0].audience
    caller   = subscription.push_config[0].oidc_token[0].service_account_email
    dead     = [for policy in subscription.dead_letter_policy : policy.max_delivery_attempts]
  } }
}
