# The one public door: API Gateway, from the document that is rendered from the manifest.

resource "google_service_account" "this" {
  account_id   = "gateway"
  display_name = "API Gateway: may call the HTTP functions, nothing else"
}

resource "google_api_gateway_api" "this" {
  provider = google-beta
  count    = var.open ? 1 : 0
  api_id   = "anchor"
}

# A configuration cannot be changed: a new one is made, the gateway moves to it, then the old one goes.
resource "google_api_gateway_api_config" "this" {
  provider             = google-beta
  count                = var.open ? 1 : 0
  api                  = google_api_gateway_api.this[0].api_id
  api_config_id_prefix = "anchor-"

  openapi_documents {
    document {
      path     = "gateway.json"
      contents = base64encode(templatefile(var.document, { project_number = var.project_number, region = var.region }))
    }
  }

  gateway_config {
    backend_config {
      google_service_account = local.email
    }
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "google_api_gateway_gateway" "this" {
  provider   = google-beta
  count      = var.open ? 1 : 0
  region     = var.region
  gateway_id = "anchor"
  api_config = google_api_gateway_api_config.this[0].id
}

locals {
  email = "${google_service_account.this.account_id}@${var.project_id}.iam.gserviceaccount.com"
}
