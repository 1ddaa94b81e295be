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

output "addresses" {
  description = "How many instances' addresses the functions' range holds; four of a range are Google's."
  value       = pow(2, 32 - tonumber(split("/", var.functions_range)[1])) - 4
}
