variable "project_id" {
  type = string
}

variable "project_number" {
  description = "gcloud projects describe PROJECT_ID --format='value(projectNumber)'; part of every function's address."
  type        = string

  validation {
    condition     = can(regex("^[0-9]+$", var.project_number))
    error_message = "The project's number, not its id."
  }
}

variable "region" {
  type = string
}

variable "environment" {
  description = "dev or prod."
  type        = string

  validation {
    condition     = contains(["dev", "prod"], var.environment)
    error_message = "shared/config.py knows dev and prod."
  }
}

variable "image" {
  description = "The image by digest; empty before the first one exists."
  type        = string
}

variable "rendered" {
  description = "Folder of the files that `make render` writes."
  type        = string
}

variable "app_base_url" {
  description = "The one public address, without a slash at the end; empty: Google's own name for the gateway."
  type        = string

  validation {
    condition     = var.app_base_url == "" || can(regex("^https://[^/]+$", var.app_base_url))
    error_message = "An https address without a path."
  }
}

variable "client_app_url" {
  description = "The dashboard's own origin, when it differs."
  type        = string
}

variable "cors_origins" {
  description = "Further origins that may call with credentials."
  type        = list(string)
}

variable "trusted_proxy_hops" {
  description = "Entries at the end of X-Forwarded-For that Google wrote; see docs/decisions."
  type        = number
  default     = 2
}

variable "settings" {
  description = "Further settings of shared/config.py by variable name, such as MAILGUN_DOMAIN."
  type        = map(string)

  validation {
    condition     = alltrue([for name in keys(var.settings) : can(regex("^[A-Z][A-Z0-9_]*$", name))])
    error_message = "Settings are environment variables: upper case."
  }
}

variable "secret_versions" {
  description = "Secret → the version to mount, to hold one back; the latest otherwise."
  type        = map(string)
  default     = {}
}

variable "pool_size" {
  description = "Connections that one instance may hold."
  type        = number
}

variable "max_instances_cap" {
  description = "No function gets more instances than this, whatever the manifest allows."
  type        = number
}

variable "min_instances" {
  description = "Function → instances kept warm. Each costs money around the clock."
  type        = map(number)
  default     = {}
}

variable "database" {
  type = object({
    instance               = optional(string, "anchor")
    postgres_version       = optional(string, "POSTGRES_18")
    edition                = string
    tier                   = string
    highly_available       = bool
    disk_gb                = number
    disk_limit_gb          = number
    recovery_days          = number
    retained_backups       = number
    pooling                = bool
    max_connections        = number
    max_client_connections = optional(number, 5000)
    pool_size              = optional(number, 100) # as infra/cost/usage.toml reckons with
  })
}

variable "firestore_ttl_fields" {
  description = "Firestore collection → the field that says when a document expires."
  type        = map(string)
  default = {
    lead_syncs        = "expires_at"
    vendor_pauses     = "expires_at"
    monday_cool_downs = "expires_at"
    google_cool_downs = "expires_at"
    oauth_states      = "expires_at"
    board_caches      = "expires_at"
  }
}

variable "notification_email" {
  description = "Who is told when an alert fires."
  type        = string
}

variable "runbooks" {
  description = "Address of docs/operations/runbooks as people can open it."
  type        = string
}

variable "paused" {
  description = "Stops the schedules, for a rehearsal or a restore."
  type        = bool
  default     = false
}

variable "protected" {
  description = "Refuse to delete what holds data."
  type        = bool
}

variable "pipeline" {
  description = "The Cloud Build triggers; null where releases are made by hand."
  type = object({
    repository   = string
    branch       = string
    state_bucket = string
    approvers    = set(string)
  })
  default = null
}
