output "gateway" {
  description = "The public address."
  value       = module.gateway.hostname == null ? null : "https://${module.gateway.hostname}"
}

output "image" {
  description = "The image's name, without tag."
  value       = module.registry.image
}

output "database" {
  description = "What docs/deploy.md needs to make DATABASE_URL."
  value = {
    instance = module.database.instance
    address  = module.database.address
    port     = module.database.port
  }
}

output "connection_budget" {
  value = terraform_data.connection_budget.input
}

output "services" {
  value = { for name, function in module.function : name => function.summary }
}

output "grants" {
  description = "The IAM table as bound: who may do what on which thing."
  value = concat(
    flatten([for area in module.area : area.grants]),
    [for function in module.function : function.grant],
    module.migration.grants,
  )
}

output "subscriptions" {
  value = merge([for topic in merge(module.topic, module.dead_letters) : topic.subscriptions]...)
}

output "schedules" {
  value = { for name, schedule in module.schedule : name => schedule.summary }
}

output "gateway_document" {
  value = module.gateway.document
}

output "alerts" {
  value = module.monitoring.alerts
}
