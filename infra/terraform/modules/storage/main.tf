# The bucket of uploaded files: private, whatever an object's own settings say. Functions alone read and write it, so
# there are no signed addresses and no CORS rule (docs/decisions/2026-11-21-files-and-onboarding-links.md).

resource "google_storage_bucket" "uploads" {
  #checkov:skip=CKV_GCP_62:every access goes through a function that logs who did it; Cloud Audit Logs keep the rest
  name                        = var.name
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = false

  versioning {
    enabled = true # an overwritten or deleted file can be brought back for 30 days
  }

  soft_delete_policy {
    retention_duration_seconds = 604800
  }

  # Not by number of newer versions: the last version of a deleted file has none, and would stay for ever.
  lifecycle_rule {
    condition {
      days_since_noncurrent_time = 30
    }
    action {
      type = "Delete"
    }
  }

  lifecycle_rule {
    condition {
      age = 7
    }
    action {
      type = "AbortIncompleteMultipartUpload"
    }
  }

  lifecycle_rule {
    condition {
      age            = 1
      matches_prefix = ["tmp/"]
    }
    action {
      type = "Delete"
    }
  }

  lifecycle_rule {
    condition {
      age = 365
    }
    action {
      type          = "SetStorageClass"
      storage_class = "NEARLINE"
    }
  }
}
