variable "name" {
  type = string
}

variable "service" {
  type = string
}

variable "region" {
  type = string
}

variable "cron" {
  description = "When, in UTC."
  type        = string
}

variable "url" {
  description = "The function's address; also the audience of the caller's token."
  type        = string
}

variable "request_timeout_s" {
  type = number
}

variable "invoker_email" {
  type = string
}

variable "paused" {
  description = "True while a cut-over is rehearsed or the database is restored."
  type        = bool
  default     = false
}
