# Two Cloud Build triggers: `check` on every push (tests, image, plan), `release` for what a person has approved.

resource "google_service_account" "builder" {
  account_id   = "builder"
  display_name = "Cloud Build: tests, builds the image, plans; changes nothing that runs"
}

resource "google_service_account" "deployer" {
  account_id   = "deployer"
  display_name = "Cloud Build: applies what was approved"
}

locals {
  builder  = "serviceAccount:${google_service_account.builder.account_id}@${var.project_id}.iam.gserviceaccount.com"
  deployer = "serviceAccount:${google_service_account.deployer.account_id}@${var.project_id}.iam.gserviceaccount.com"

  # A plan reads everything and writes nothing. No right to start builds and none to act as the deployer: whoever can push
  # runs code as the builder, and would need no approval.
  plans = toset(["roles/viewer", "roles/iam.securityReviewer", "roles/logging.logWriter"])

  # An apply makes what the modules declare. Whoever holds this account holds the project: that is why it only acts
  # through a trigger that waits for an approval. It acts as the accounts it makes (of functions, of jobs, of triggers):
  # the right is on the project, because a right on an account made a second before is not known everywhere yet.
  applies = toset([
    "roles/apigateway.admin", "roles/artifactregistry.admin", "roles/cloudbuild.builds.editor", "roles/cloudscheduler.admin",
    "roles/cloudsql.admin", "roles/cloudtasks.admin", "roles/compute.networkAdmin", "roles/datastore.owner",
    "roles/iam.roleAdmin", "roles/iam.serviceAccountAdmin", "roles/iam.serviceAccountUser", "roles/logging.configWriter",
    "roles/logging.logWriter", "roles/monitoring.admin", "roles/pubsub.admin", "roles/resourcemanager.projectIamAdmin",
    "roles/run.admin", "roles/secretmanager.admin", "roles/servicenetworking.networksAdmin",
    "roles/serviceusage.serviceUsageAdmin", "roles/storage.admin", "roles/viewer",
  ])

  releases = "projects/_/buckets/${var.state_bucket}/objects/releases/"
}

resource "google_project_iam_member" "plans" {
  #checkov:skip=CKV_GCP_117:a plan compares everything that is declared with everything that is there
  for_each = local.plans
  project  = var.project_id
  role     = each.value
  member   = local.builder
}

resource "google_project_iam_member" "applies" {
  #checkov:skip=CKV_GCP_41:it makes the accounts that it then acts as; it acts only in builds that a person approved
  #checkov:skip=CKV_GCP_42:it makes what the modules declare; it acts only in builds that a person approved
  #checkov:skip=CKV_GCP_49:the modules declare service accounts
  #checkov:skip=CKV_GCP_117:an apply reads what a plan reads
  for_each = local.applies
  project  = var.project_id
  role     = each.value
  member   = local.deployer
}

resource "google_artifact_registry_repository_iam_member" "pushes" {
  repository = var.image_registry
  location   = var.region
  role       = "roles/artifactregistry.writer"
  member     = local.builder
}

resource "google_storage_bucket_iam_member" "state" {
  bucket = var.state_bucket
  role   = "roles/storage.objectUser"
  member = local.deployer
}

# The builder reads the state and adds releases. It can replace none, so that what was approved is what is applied.
resource "google_storage_bucket_iam_member" "reads_state" {
  bucket = var.state_bucket
  role   = "roles/storage.objectViewer"
  member = local.builder
}

resource "google_storage_bucket_iam_member" "adds_releases" {
  bucket = var.state_bucket
  role   = "roles/storage.objectCreator"
  member = local.builder

  condition {
    title      = "releases only"
    expression = "resource.name.startsWith(\"${local.releases}\")"
  }
}

resource "google_project_iam_member" "approves" {
  for_each = var.approvers
  project  = var.project_id
  role     = "roles/cloudbuild.builds.approver"
  member   = each.value
}

# Whoever approves reads the plan first.
resource "google_storage_bucket_iam_member" "reads_plans" {
  for_each = var.approvers
  bucket   = var.state_bucket
  role     = "roles/storage.objectViewer"
  member   = each.value

  condition {
    title      = "releases only"
    expression = "resource.name.startsWith(\"${local.releases}\")"
  }
}

# A build asks for a release by a message: to run a trigger by hand one must hold rights over builds, and with them
# over what the trigger's account may do (https://cloud.google.com/build/docs/automate-builds-pubsub-events).
resource "google_pubsub_topic" "releases" {
  #checkov:skip=CKV_GCP_83:a message is the name of a release
  name = "releases"

  message_storage_policy {
    allowed_persistence_regions = [var.region]
  }
}

resource "google_pubsub_topic_iam_member" "asks" {
  topic  = google_pubsub_topic.releases.name
  role   = "roles/pubsub.publisher"
  member = local.builder
}

resource "google_cloudbuild_trigger" "check" {
  name            = "check"
  location        = var.region
  filename        = "cloudbuild.yaml"
  service_account = google_service_account.builder.id
  substitutions   = local.substitutions

  repository_event_config {
    repository = var.repository
    push {
      branch = "^${var.branch}$"
    }
  }
}

resource "google_cloudbuild_trigger" "release" {
  name            = "release"
  location        = var.region
  service_account = google_service_account.deployer.id
  substitutions   = merge(local.substitutions, { _RELEASE = "$(body.message.attributes.release)" })

  pubsub_config {
    topic = google_pubsub_topic.releases.id
  }

  source_to_build {
    repository = var.repository
    ref        = "refs/heads/${var.branch}"
    repo_type  = "GITHUB"
  }

  git_file_source {
    path       = "infra/release.yaml"
    repository = var.repository
    revision   = "refs/heads/${var.branch}"
    repo_type  = "GITHUB"
  }

  approval_config {
    approval_required = true
  }
}

locals {
  substitutions = {
    _ENVIRONMENT  = var.environment
    _REGION       = var.region
    _STATE_BUCKET = var.state_bucket
  }
}
