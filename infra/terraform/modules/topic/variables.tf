variable "topic" {
  description = "An entry of topics.json."
  type = object({
    name      = string
    says      = string
    attempts  = number
    listeners = list(string)
  })
}

variable "project_id" {
  type = string
}

variable "region" {
  type = string
}

variable "listeners" {
  description = "Function name → its address, and how long it may take."
  type        = map(object({ url = string, request_timeout_s = number }))
}

variable "invoker_email" {
  type = string
}

variable "dead_letter_topic" {
  description = "Id of the topic for refused messages; null for that topic itself."
  type        = string
  default     = null
}

variable "pubsub_agent" {
  description = "The IAM member of Pub/Sub's own service agent."
  type        = string
}
