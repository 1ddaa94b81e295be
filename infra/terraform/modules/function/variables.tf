variable "name" {
  description = "The function's name in the manifest; what main.py is asked for."
  type        = string
}

variable "service" {
  description = "The Cloud Run service's name: the function's with dashes."
  type        = string

  validation {
    condition     = length(var.service) <= 49 && can(regex("^[a-z][a-z0-9-]*[a-z0-9]$", var.service))
    error_message = "Cloud Run takes names of at most 49 lower-case letters, digits and dashes: shorten the function's name."
  }
}

variable "area" {
  type = string
}

variable "trigger" {
  description = "What calls it: http, task, event or schedule."
  type        = string
}

variable "region" {
  type = string
}

variable "image" {
  description = "The image by digest, the same for every function."
  type        = string

  validation {
    condition     = can(regex("@sha256:[0-9a-f]{64}$", var.image))
    error_message = "Name the image by its digest (…@sha256:…): a tag can be moved, and what runs must be what was tested."
  }
}

variable "service_account" {
  description = "The e-mail of the area's account, as which it runs."
  type        = string
}

variable "invoker" {
  description = "The one IAM member that may call it."
  type        = string

  validation {
    condition     = startswith(var.invoker, "serviceAccount:")
    error_message = "Only a service account may call a function; none is public."
  }
}

variable "request_timeout_s" {
  description = "Longer than the handler's own limit by a cold start, so that the handler's answer is the one seen."
  type        = number
}

variable "memory_mb" {
  type = number
}

variable "concurrency" {
  description = "Requests that one instance serves at a time."
  type        = number
}

variable "min_instances" {
  type    = number
  default = 0
}

variable "max_instances" {
  type = number
}

variable "environment" {
  description = "Settings (shared/config.py) by variable name."
  type        = map(string)
}

variable "secrets" {
  description = "Variable name → the secret and version it is read from when an instance starts."
  type        = map(object({ secret = string, version = string }))
}

variable "network" {
  type = string
}

variable "subnetwork" {
  type = string
}
