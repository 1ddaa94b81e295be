variable "project_id" {
  type = string
}

variable "environment" {
  type = string
}

variable "region" {
  type = string
}

variable "repository" {
  description = "The connected repository: projects/…/locations/…/connections/…/repositories/…"
  type        = string
}

variable "branch" {
  type = string
}

variable "state_bucket" {
  description = "Bucket of Terraform's state, plans and releases."
  type        = string
}

variable "approvers" {
  description = "IAM members who may approve a release, such as group:…"
  type        = set(string)
}

variable "image_registry" {
  description = "Id of the Artifact Registry repository."
  type        = string
}
