output "id" {
  value = "projects/${var.project_id}/databases/${google_firestore_database.this.name}"
}
