variable "project_id" {
  type = string
}

variable "services" {
  description = "Cloud Run service → its trigger."
  type        = map(string)
}

variable "hostname" {
  description = "The gateway's name; null before it exists."
  type        = string
  default     = null
}

variable "watch_gateway" {
  type = bool
}

variable "database" {
  description = "project:instance"
  type        = string
}

variable "max_connections" {
  type = number
}

variable "latency_ms" {
  description = "What a person should wait at most, as the function sees it."
  type        = number
  default     = 1000
}

variable "notification_email" {
  type = string
}

variable "runbooks" {
  type = string
}
