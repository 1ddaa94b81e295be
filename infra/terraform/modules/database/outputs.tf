output "instance" {
  value = google_sql_database_instance.this.name
}

output "address" {
  description = "The private address."
  value       = google_sql_database_instance.this.private_ip_address
}

output "port" {
  description = "Where functions connect: the pooler, or PostgreSQL itself."
  value       = var.pooling ? 6432 : 5432
}

output "connection_limit" {
  description = "How many connections the functions may hold together."
  value       = var.pooling ? var.max_client_connections : var.max_connections - local.reserved
}

output "max_connections" {
  value = var.max_connections
}
