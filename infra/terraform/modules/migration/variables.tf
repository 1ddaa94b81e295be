variable "project_id" {
  type = string
}

variable "region" {
  type = string
}

variable "image" {
  type = string
}

variable "secrets" {
  type = map(object({ secret = string, version = string }))
}

variable "network" {
  type = string
}

variable "subnetwork" {
  type = string
}
