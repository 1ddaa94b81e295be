variable "project_id" {
  type = string
}

variable "project_number" {
  type = string
}

variable "region" {
  type = string
}

variable "document" {
  description = "Path of gateway.json."
  type        = string
}

variable "open" {
  description = "False before the first image exists: there is nothing to lead to."
  type        = bool
}
