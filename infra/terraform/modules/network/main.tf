# A private network that holds nothing but the way from the functions to the database.

resource "google_compute_network" "this" {
  #checkov:skip=CKV2_GCP_18:nothing listens in this network; without a rule everything coming in is refused
  name                    = "anchor"
  auto_create_subnetworks = false
}

# Each running instance takes an address, a replaced one keeps its for some minutes: room for twice the most instances.
resource "google_compute_subnetwork" "functions" {
  name                     = "functions"
  network                  = google_compute_network.this.id
  region                   = var.region
  ip_cidr_range            = var.functions_range
  private_ip_google_access = true

  log_config {
    aggregation_interval = "INTERVAL_10_MIN"
    flow_sampling        = 0.1
    metadata             = "EXCLUDE_ALL_METADATA"
  }
}

resource "google_compute_global_address" "services" {
  name          = "google-services"
  network       = google_compute_network.this.id
  purpose       = "VPC_PEERING"
  address_type  = "INTERNAL"
  prefix_length = 20
}

resource "google_service_networking_connection" "this" {
  network                 = google_compute_network.this.id
  service                 = "servicenetworking.googleapis.com"
  reserved_peering_ranges = [google_compute_global_address.services.name]
  deletion_policy         = "ABANDON" # Google refuses to unpeer for days after a database is deleted
}
