# The account that an area's functions run as, and all it may touch. Every grant is on one named thing where Google
# allows it; what is granted on the project says why.

resource "google_service_account" "this" {
  account_id   = "fn-${var.name}"
  display_name = "Functions of ${var.name}"
}

locals {
  # From our own words, so that a plan can name the member before the account exists.
  email  = "${google_service_account.this.account_id}@${var.project_id}.iam.gserviceaccount.com"
  member = "serviceAccount:${local.email}"
}

resource "google_secret_manager_secret_iam_member" "reads" {
  for_each  = var.secrets
  secret_id = each.value
  role      = "roles/secretmanager.secretAccessor"
  member    = local.member
}

resource "google_cloud_tasks_queue_iam_member" "enqueues" {
  for_each = var.queues
  name     = each.value
  location = var.region
  role     = "roles/cloudtasks.enqueuer"
  member   = local.member
}

# A task carries the invoker's identity; whoever creates one must be allowed to lend it.
resource "google_service_account_iam_member" "lends_invoker" {
  count              = length(var.queues) > 0 ? 1 : 0
  service_account_id = var.invoker_id
  role               = "roles/iam.serviceAccountUser"
  member             = local.member
}

resource "google_pubsub_topic_iam_member" "publishes" {
  for_each = var.topics
  topic    = each.value
  role     = "roles/pubsub.publisher"
  member   = local.member
}

resource "google_storage_bucket_iam_member" "files" {
  count  = contains(var.google, "storage") ? 1 : 0
  bucket = var.bucket
  role   = "roles/storage.objectUser"
  member = local.member
}

# Vertex AI has no grant on a single published model: a role of one permission, on the project.
resource "google_project_iam_member" "predicts" {
  count   = contains(var.google, "vertex") ? 1 : 0
  project = var.project_id
  role    = var.vertex_role
  member  = local.member
}

# Firestore has no grant on a database, but conditions name one.
resource "google_project_iam_member" "documents" {
  count   = contains(var.google, "firestore") ? 1 : 0
  project = var.project_id
  role    = "roles/datastore.user"
  member  = local.member

  condition {
    title      = "our database only"
    expression = "resource.name == \"${var.firestore_database}\""
  }
}
