variable "name" {
  type = string
}

variable "region" {
  type = string
}

variable "origins" {
  description = "Pages that may use signed addresses from a browser."
  type        = list(string)
  default     = []
}
