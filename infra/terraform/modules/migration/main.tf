# Migrations run where the database can be reached: a Cloud Run job of the same image, started by the pipeline.

resource "google_service_account" "this" {
  account_id   = "migration"
  display_name = "Migrations: reads the database's address and the key ring"
}

locals {
  email  = "${google_service_account.this.account_id}@${var.project_id}.iam.gserviceaccount.com"
  member = "serviceAccount:${local.email}"
}

resource "google_secret_manager_secret_iam_member" "reads" {
  for_each  = var.secrets
  secret_id = each.value.secret
  role      = "roles/secretmanager.secretAccessor"
  member    = local.member
}

resource "google_cloud_run_v2_job" "this" {
  count               = var.image == "" ? 0 : 1
  name                = "migrate"
  location            = var.region
  deletion_protection = false

  template {
    template {
      service_account = local.email
      timeout         = "3600s"
      max_retries     = 0 # a person reads why it failed; it is one transaction, nothing is half done

      vpc_access {
        egress = "PRIVATE_RANGES_ONLY"
        network_interfaces {
          network    = var.network
          subnetwork = var.subnetwork
        }
      }

      containers {
        image   = var.image
        command = ["python", "-m", "shared.db.migrate"]

        resources {
          limits = { cpu = "1", memory = "1Gi" }
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
  }

  depends_on = [google_secret_manager_secret_iam_member.reads]
}
