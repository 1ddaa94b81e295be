# Short-lived, watched state. Documents go by themselves when their time is over: a TTL policy per collection.

resource "google_firestore_database" "this" {
  name                              = "(default)"
  location_id                       = var.region
  type                              = "FIRESTORE_NATIVE"
  point_in_time_recovery_enablement = "POINT_IN_TIME_RECOVERY_DISABLED" # nothing in it outlives a day
  delete_protection_state           = var.protected ? "DELETE_PROTECTION_ENABLED" : "DELETE_PROTECTION_DISABLED"
  deletion_policy                   = "DELETE"
}

resource "google_firestore_field" "expiry" {
  for_each   = var.ttl_fields
  database   = google_firestore_database.this.name
  collection = each.key
  field      = each.value

  ttl_config {}

  index_config {} # never searched by; an index of rising times would only slow the writes
}
