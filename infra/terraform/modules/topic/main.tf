# A Pub/Sub topic with a push subscription per listener. What a listener refuses too often goes to the dead-letter topic.

resource "google_pubsub_topic" "this" {
  #checkov:skip=CKV_GCP_83:messages carry ids, not people's data; Google's own encryption at rest is enough
  name                       = var.topic.name
  message_retention_duration = "604800s" # a week: to replay after a fault of ours

  message_storage_policy {
    allowed_persistence_regions = [var.region]
  }
}

# Named after its listener: the function that records dead messages reads the listener from the subscription's name.
resource "google_pubsub_subscription" "listener" {
  for_each = var.listeners

  name                       = each.key
  topic                      = google_pubsub_topic.this.id
  ack_deadline_seconds       = each.value.request_timeout_s + 10 # at most 600; a test holds listeners to it
  message_retention_duration = "604800s"

  push_config {
    push_endpoint = each.value.url
    oidc_token {
      service_account_email = var.invoker_email
      audience              = each.value.url
    }
  }

  retry_policy {
    minimum_backoff = "10s"
    maximum_backoff = "600s"
  }

  dynamic "dead_letter_policy" {
    for_each = var.dead_letter_topic == null ? [] : [var.dead_letter_topic]
    content {
      dead_letter_topic     = dead_letter_policy.value
      max_delivery_attempts = var.topic.attempts
    }
  }

  expiration_policy {
    ttl = "" # never, however quiet
  }
}

# Pub/Sub itself takes a message from the subscription when it moves it to the dead-letter topic.
resource "google_pubsub_subscription_iam_member" "moves_dead" {
  for_each     = var.dead_letter_topic == null ? {} : google_pubsub_subscription.listener
  subscription = each.value.name
  role         = "roles/pubsub.subscriber"
  member       = var.pubsub_agent
}
