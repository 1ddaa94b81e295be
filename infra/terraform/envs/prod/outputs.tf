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
