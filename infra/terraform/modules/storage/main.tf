# The bucket of uploaded files: private, whatever an object's own settings say. People get signed addresses.

resource "google_storage_bucket" "uploads" {
  #checkov:skip=CKV_GCP_62:every access goes through a function that logs who did it, or by its signed address; Cloud Audit Logs keep the rest
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

  lifecycle_rule {
    condition {
      num_newer_versions         = 1
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

  dynamic "cors" {
    for_each = length(var.origins) > 0 ? [1] : []
    content {
      origin          = var.origins
      method          = ["GET", "PUT"]
      response_header = ["Content-Type"]
      max_age_seconds = 600
    }
  }
}
