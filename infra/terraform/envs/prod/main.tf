# What people rely on: a database in two zones behind a pooler, protected from deletion, instances kept warm where
# somebody waits.

module "anchor" {
  source = "../../modules/anchor"

  environment        = "prod"
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
  protected          = true
  min_instances      = var.min_instances

  # Hundreds of functions with up to 20 instances would hold thousands of connections: the pooler takes them, and
  # PostgreSQL sees a few dozen.
  max_instances_cap = 20
  pool_size         = 2
  database = {
    instance               = var.database_instance
    edition                = "ENTERPRISE_PLUS"
    tier                   = "db-perf-optimized-N-2"
    highly_available       = true
    disk_gb                = 50
    disk_limit_gb          = 500
    recovery_days          = 14
    retained_backups       = 30
    pooling                = true
    max_connections        = 400
    max_client_connections = 10000
  }
}
