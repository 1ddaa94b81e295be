output "name" {
  value = google_storage_bucket.uploads.name
}
