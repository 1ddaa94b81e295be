variable "queue" {
  description = "An entry of queues.json."
  type = object({
    name          = string
    per_second    = number
    at_once       = number
    attempts      = number
    min_backoff_s = number
    max_backoff_s = number
    doublings     = number
  })
}

variable "region" {
  type = string
}

variable "logged_share" {
  description = "Share of task operations that are logged, 0 to 1."
  type        = number
  default     = 0.1
}
