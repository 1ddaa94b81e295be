# The places where secrets are kept. Their values never pass through Terraform, so they are in no state and no plan:
# docs/deploy.md adds the first versions, docs/operations/rotation.md the next ones.

resource "google_secret_manager_secret" "this" {
  for_each  = var.names
  secret_id = each.value

  replication {
    user_managed {
      replicas {
        location = var.region
      }
    }
  }

  version_destroy_ttl = "604800s" # a destroyed version can be brought back for a week
  deletion_protection = var.protected
}
