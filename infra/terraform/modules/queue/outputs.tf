output "name" {
  value = google_cloud_tasks_queue.this.name
}
