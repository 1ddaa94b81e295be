variable "region" {
  type = string
}

variable "ttl_fields" {
  description = "Collection → the field that says when a document expires."
  type        = map(string)
}

variable "protected" {
  type = bool
}

variable "project_id" {
  type = string
}
