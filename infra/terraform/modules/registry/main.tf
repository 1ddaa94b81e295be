# Where the one image lives. Tags are hashes of the image's sources, so a tag is never moved.

resource "google_artifact_registry_repository" "this" {
  #checkov:skip=CKV_GCP_84:the image holds our source and public packages, no data and no secret
  repository_id = "anchor"
  location      = var.region
  format        = "DOCKER"
  description   = "The image that every function runs"

  docker_config {
    immutable_tags = true
  }

  cleanup_policies {
    id     = "keep-the-last-twenty"
    action = "KEEP"
    most_recent_versions {
      keep_count = 20
    }
  }

  cleanup_policies {
    id     = "delete-after-ninety-days"
    action = "DELETE"
    condition {
      older_than = "7776000s"
    }
  }
}
