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

  # A plan reads everything and writes nothing.
  plans = toset(["roles/viewer", "roles/iam.securityReviewer", "roles/logging.logWriter", "roles/cloudbuild.builds.editor"])

  # An apply makes what the modules declare. Whoever holds this account holds the project: that is why it only acts
  # through a trigger that waits for an approval.
  applies = toset([
    "roles/apigateway.admin", "roles/artifactregistry.admin", "roles/cloudbuild.builds.editor", "roles/cloudscheduler.admin",
    "roles/cloudsql.admin", "roles/cloudtasks.admin", "roles/compute.networkAdmin", "roles/datastore.owner",
    "roles/iam.roleAdmin", "roles/iam.serviceAccountAdmin", "roles/logging.configWriter", "roles/logging.logWriter",
    "roles/monitoring.admin", "roles/pubsub.admin", "roles/resourcemanager.projectIamAdmin", "roles/run.admin",
    "roles/secretmanager.admin", "roles/servicenetworking.networksAdmin", "roles/serviceusage.serviceUsageAdmin",
    "roles/storage.admin", "roles/viewer",
  ])
}

resource "google_project_iam_member" "plans" {
  #checkov:skip=CKV_GCP_42:a plan starts the release build, which waits for an approval
  #checkov:skip=CKV_GCP_49:the check counts the right to start builds as one over accounts; it may lend itself the deployer only, behind the approval
  #checkov:skip=CKV_GCP_117:a plan compares everything that is declared with everything that is there
  for_each = local.plans
  project  = var.project_id
  role     = each.value
  member   = local.builder
}

resource "google_project_iam_member" "applies" {
  #checkov:skip=CKV_GCP_42:it makes what the modules declare; it acts only in builds that a person approved
  #checkov:skip=CKV_GCP_49:the modules declare service accounts; it may act as the listed ones only
  #checkov:skip=CKV_GCP_117:an apply reads what a plan reads
  for_each = local.applies
  project  = var.project_id
  role     = each.value
  member   = local.deployer
}

resource "google_service_account_iam_member" "acts_as" {
  for_each           = var.acts_as
  service_account_id = "projects/${var.project_id}/serviceAccounts/${each.value}"
  role               = "roles/iam.serviceAccountUser"
  member             = local.deployer
}

resource "google_service_account_iam_member" "starts_release" {
  service_account_id = google_service_account.deployer.name
  role               = "roles/iam.serviceAccountUser"
  member             = local.builder
}

resource "google_artifact_registry_repository_iam_member" "pushes" {
  repository = var.image_registry
  location   = var.region
  role       = "roles/artifactregistry.writer"
  member     = local.builder
}

resource "google_storage_bucket_iam_member" "state" {
  for_each = { builder = local.builder, deployer = local.deployer }
  bucket   = var.state_bucket
  role     = "roles/storage.objectUser"
  member   = each.value
}

resource "google_project_iam_member" "approves" {
  for_each = var.approvers
  project  = var.project_id
  role     = "roles/cloudbuild.builds.approver"
  member   = each.value
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
  substitutions   = merge(local.substitutions, { _RELEASE = "" })

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
