variable "name" {
  type = string
}

variable "project_id" {
  type = string
}

variable "region" {
  type = string
}

variable "secrets" {
  description = "Variable name → id of the secret that its functions read."
  type        = map(string)
}

variable "queues" {
  description = "Queues it sends work to: key and name."
  type        = map(string)
}

variable "topics" {
  description = "Topics it publishes to: key and name."
  type        = map(string)
}

variable "google" {
  description = "Further services it uses: vertex, storage, firestore."
  type        = set(string)
}

variable "invoker_id" {
  description = "Full name of the account whose identity its tasks carry."
  type        = string
}

variable "bucket" {
  type = string
}

variable "vertex_role" {
  type = string
}

variable "firestore_database" {
  description = "projects/…/databases/…"
  type        = string
}
