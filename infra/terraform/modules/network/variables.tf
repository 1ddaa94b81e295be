variable "region" {
  type = string
}

variable "functions_range" {
  type    = string
  default = "10.8.0.0/18" # 16,384 addresses
}
