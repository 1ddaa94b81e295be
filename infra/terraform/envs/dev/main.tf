# One project to try things in: the smallest database, few instances, nothing protected from deletion.

module "anchor" {
  source = "../../modules/anchor"

  environment        = "dev"
  project_id         = var.project_id
  project_number     = var.project_number
  region             = var.region
  image              = var.image == "none" ? "" : var.image
  rendered           = var.rendered
  app_base_url       = var.app_base_url
  client_app_url     = var.client_app_url
  cors_origins       = var.cors_origins
  settings           = var.settings
  secret_versions    = var.secret_versions
  notification_email = var.notification_email
  runbooks           = var.runbooks
  paused             = var.paused
  pipeline           = var.pipeline
  protected          = false

  # 330 functions × 1 instance × 1 connection fit PostgreSQL itself: no pooler, no second machine.
  max_instances_cap = 1
  pool_size         = 1
  database = {
    instance         = var.database_instance
    edition          = "ENTERPRISE"
    tier             = "db-custom-1-3840"
    highly_available = false
    disk_gb          = 10
    disk_limit_gb    = 50
    recovery_days    = 2
    retained_backups = 3
    pooling          = false
    max_connections  = 400
  }
}
