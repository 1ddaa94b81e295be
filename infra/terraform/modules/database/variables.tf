variable "name" {
  type = string
}

variable "region" {
  type = string
}

variable "network" {
  description = "Id of the private network; its peering must exist."
  type        = string
}

variable "postgres_version" {
  type    = string
  default = "POSTGRES_18"
}

variable "edition" {
  description = "ENTERPRISE or ENTERPRISE_PLUS (which has pooling)."
  type        = string
}

variable "tier" {
  type = string
}

variable "highly_available" {
  type = bool
}

variable "disk_gb" {
  type = number
}

variable "disk_limit_gb" {
  description = "How far the disk may grow by itself; it never shrinks."
  type        = number
}

variable "recovery_days" {
  description = "How many days back any second can be restored: up to 7, with Enterprise Plus up to 35."
  type        = number
}

variable "retained_backups" {
  type = number
}

variable "pooling" {
  description = "Managed connection pooling, on port 6432."
  type        = bool
}

variable "max_connections" {
  description = "What PostgreSQL itself accepts."
  type        = number
}

variable "max_client_connections" {
  description = "What the pooler accepts, when pooling is on."
  type        = number
}

variable "pool_size" {
  description = "Connections to PostgreSQL that one pooler shares among its clients, when pooling is on."
  type        = number
}

variable "protected" {
  description = "Refuse to delete the instance, here and in the console."
  type        = bool
}
