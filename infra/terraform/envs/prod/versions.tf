terraform {
  required_version = ">= 1.9"

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "~> 6.50"
    }
    google-beta = {
      source  = "hashicorp/google-beta"
      version = "~> 6.50"
    }
  }

  backend "gcs" {
    prefix = "terraform/prod" # the bucket is given at init: -backend-config=bucket=…
  }
}

provider "google" {
  project        = var.project_id
  region         = var.region
  default_labels = { app = "anchor", environment = "prod" }
}

provider "google-beta" {
  project        = var.project_id
  region         = var.region
  default_labels = { app = "anchor", environment = "prod" }
}
