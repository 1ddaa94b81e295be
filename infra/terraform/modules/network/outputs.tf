output "network" {
  value = google_compute_network.this.id
}

output "subnetwork" {
  value = google_compute_subnetwork.functions.id
}

output "peering" {
  description = "What a database with a private address must wait for."
  value       = google_service_networking_connection.this.id
}
