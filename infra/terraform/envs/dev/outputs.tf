output "gateway" {
  value = module.anchor.gateway
}

output "image" {
  value = module.anchor.image
}

output "database" {
  value = module.anchor.database
}

output "connection_budget" {
  value = module.anchor.connection_budget
}

output "services" {
  value = module.anchor.services
}

output "grants" {
  value = module.anchor.grants
}

output "subscriptions" {
  value = module.anchor.subscriptions
}

output "schedules" {
  value = module.anchor.schedules
}

output "gateway_document" {
  value = module.anchor.gateway_document
}

output "alerts" {
  value = module.anchor.alerts
}
