output "repository" {
  value = google_artifact_registry_repository.this.repository_id
}

output "image" {
  description = "The image's name, without tag or digest."
  value       = "${var.region}-docker.pkg.dev/${var.project_id}/${google_artifact_registry_repository.this.repository_id}/functions"
}
