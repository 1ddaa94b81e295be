variable "region" {
  type = string
}

variable "project_id" {
  type = string
}
