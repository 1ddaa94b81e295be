variable "project_id" {
  type = string
}

variable "project_number" {
  type = string
}

variable "region" {
  type    = string
  default = "us-central1"
}

variable "image" {
  description = "What runs: …/functions@sha256:…; \"none\" makes everything but the functions, and removes those that run."
  type        = string

  # No default: an apply that forgot it would take every function away.
  validation {
    condition     = var.image == "none" || can(regex("@sha256:[0-9a-f]{64}$", var.image))
    error_message = "Name the image by its digest (…@sha256:…), or say \"none\". docs/operations/README.md tells which one runs."
  }
}

variable "database_instance" {
  description = "Name of the Cloud SQL instance. Changes when a restored copy takes its place; a deleted one's name is taken for a week."
  type        = string
  default     = "anchor"
}

variable "rendered" {
  description = "Folder of the files that `make render` writes."
  type        = string
  default     = "../.."
}

variable "app_base_url" {
  type    = string
  default = ""
}

variable "client_app_url" {
  type    = string
  default = ""
}

variable "cors_origins" {
  type    = list(string)
  default = []
}

variable "settings" {
  type    = map(string)
  default = {}
}

variable "secret_versions" {
  type    = map(string)
  default = {}
}

variable "notification_email" {
  type = string
}

variable "runbooks" {
  description = "Address of docs/operations/runbooks as people can open it."
  type        = string
  default     = "docs/operations/runbooks"
}

variable "paused" {
  type    = bool
  default = false
}

variable "pipeline" {
  type = object({
    repository   = string
    branch       = string
    state_bucket = string
    approvers    = set(string)
  })
  default = null
}

variable "min_instances" {
  description = "Function → instances kept warm. Each costs money around the clock; docs/cost-and-scale.md says what it buys."
  type        = map(number)
  default     = {}
}
