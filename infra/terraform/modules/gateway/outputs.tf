output "email" {
  value = local.email
}

output "member" {
  value = "serviceAccount:${local.email}"
}

output "hostname" {
  value = one(google_api_gateway_gateway.this[*].default_hostname)
}

output "document" {
  description = "The document as sent, for tests."
  value       = jsondecode(templatefile(var.document, { project_number = var.project_number, region = var.region }))
}
