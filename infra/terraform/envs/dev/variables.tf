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
  description = "…/functions@sha256:…; empty on the very first apply, which makes everything but the functions."
  type        = string
  default     = ""
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
