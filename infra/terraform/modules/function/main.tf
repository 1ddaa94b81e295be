# One function: a private Cloud Run service of the one image, and the one account that may call it.

locals {
  # Read once, so that a name clash between fixed and given settings cannot happen silently: the fixed ones win.
  environment = merge(var.environment, {
    FUNCTION_TARGET   = var.name
    FUNCTION_USE_ASGI = "1"
  })
}

resource "google_cloud_run_v2_service" "this" {
  name     = var.service
  location = var.region
  labels   = { area = var.area, trigger = var.trigger }

  # Only what comes from inside Google reaches work: Cloud Tasks, Scheduler and Pub/Sub of this project count as inside at
  # the run.app address; API Gateway's calls come from outside (https://cloud.google.com/run/docs/securing/ingress).
  ingress              = var.trigger == "http" ? "INGRESS_TRAFFIC_ALL" : "INGRESS_TRAFFIC_INTERNAL_ONLY"
  invoker_iam_disabled = false
  deletion_protection  = false # it holds nothing: the manifest decides whether it exists

  template {
    service_account                  = var.service_account
    timeout                          = "${var.request_timeout_s}s"
    max_instance_request_concurrency = var.concurrency
    labels                           = { area = var.area, trigger = var.trigger }

    scaling {
      min_instance_count = var.min_instances
      max_instance_count = var.max_instances
    }

    vpc_access {
      egress = "PRIVATE_RANGES_ONLY" # the database; vendors are reached directly
      network_interfaces {
        network    = var.network
        subnetwork = var.subnetwork
      }
    }

    containers {
      image = var.image

      resources {
        limits            = { cpu = "1", memory = "${var.memory_mb}Mi" }
        cpu_idle          = true # billed while it answers; nothing of ours runs between requests
        startup_cpu_boost = true
      }

      startup_probe {
        period_seconds    = 1
        timeout_seconds   = 1
        failure_threshold = 60
        tcp_socket {
          port = 8080
        }
      }

      dynamic "env" {
        for_each = local.environment
        content {
          name  = env.key
          value = env.value
        }
      }

      dynamic "env" {
        for_each = var.secrets
        content {
          name = env.key
          value_source {
            secret_key_ref {
              secret  = env.value.secret
              version = env.value.version
            }
          }
        }
      }
    }
  }

  traffic {
    type    = "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST"
    percent = 100
  }
}

# Bound on the service itself; a service that is made again has lost it, so the binding follows its uid
# (hashicorp/terraform-provider-google #15264).
resource "google_cloud_run_v2_service_iam_member" "invoker" {
  name     = google_cloud_run_v2_service.this.name
  location = google_cloud_run_v2_service.this.location
  role     = "roles/run.invoker"
  member   = var.invoker

  lifecycle {
    replace_triggered_by = [google_cloud_run_v2_service.this.uid]
  }
}
