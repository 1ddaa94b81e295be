# PostgreSQL without a public address: backups with recovery to any second, pooling where the edition has it.

resource "google_sql_database_instance" "this" {
  #checkov:skip=CKV_GCP_6:encrypted connections are required (ssl_mode); client certificates would be one more secret to rotate for an address that only the functions' network can reach
  #checkov:skip=CKV_GCP_79:the newest version, which the check does not know yet
  name                = var.name
  region              = var.region
  database_version    = var.postgres_version
  deletion_protection = var.protected

  settings {
    tier                        = var.tier
    edition                     = var.edition
    availability_type           = var.highly_available ? "REGIONAL" : "ZONAL"
    disk_type                   = "PD_SSD"
    disk_size                   = var.disk_gb
    disk_autoresize             = true
    disk_autoresize_limit       = var.disk_limit_gb
    deletion_protection_enabled = var.protected
    retain_backups_on_delete    = true

    ip_configuration {
      ipv4_enabled    = false
      private_network = var.network
      ssl_mode        = "ENCRYPTED_ONLY"
    }

    backup_configuration {
      enabled                        = true
      point_in_time_recovery_enabled = true
      start_time                     = "08:00" # UTC: night in the Americas
      transaction_log_retention_days = var.recovery_days
      backup_retention_settings {
        retained_backups = var.retained_backups
      }
    }

    maintenance_window {
      day          = 7 # Sunday
      hour         = 9
      update_track = "stable"
    }

    insights_config {
      query_insights_enabled  = true
      record_client_address   = false
      record_application_tags = false
      query_string_length     = 1024
    }

    # https://docs.cloud.google.com/sql/docs/postgres/managed-connection-pooling
    dynamic "connection_pool_config" {
      for_each = var.pooling ? [1] : []
      content {
        connection_pooling_enabled = true
        flags {
          name  = "pool_mode"
          value = "transaction"
        }
        flags {
          name  = "max_client_connections"
          value = tostring(var.max_client_connections)
        }
        flags {
          name  = "max_pool_size" # of one pooler; an instance has one per four vCPU, and at least one
          value = tostring(var.pool_size)
        }
        flags {
          name  = "max_prepared_statements" # asyncpg prepares what it runs; 0 would refuse that in transaction mode
          value = "1000"
        }
      }
    }

    dynamic "database_flags" {
      for_each = local.flags
      content {
        name  = database_flags.key
        value = database_flags.value
      }
    }
  }

  lifecycle {
    precondition {
      condition     = !var.pooling || var.edition == "ENTERPRISE_PLUS"
      error_message = "Managed connection pooling needs the Enterprise Plus edition."
    }
    precondition {
      condition     = !var.pooling || var.pool_size <= var.max_connections - local.reserved
      error_message = "One pooler alone would open more connections than PostgreSQL takes."
    }
  }
}

locals {
  flags = {
    max_connections                     = tostring(var.max_connections)
    jit                                 = "off" # compiling the statement of a list takes longer than running it
    log_checkpoints                     = "on"
    log_connections                     = "on"
    log_disconnections                  = "on"
    log_lock_waits                      = "on"
    log_temp_files                      = "0"
    log_min_messages                    = "warning"
    log_min_error_statement             = "panic" # a failing statement's text may hold what a visitor wrote
    log_min_duration_statement          = "-1"    # the same: slow statements are seen in Query Insights, without their values
    log_statement                       = "ddl"
    "cloudsql.enable_pgaudit"           = "on"
    "pgaudit.log"                       = "ddl,role"
    idle_in_transaction_session_timeout = "60000"
  }
  # PostgreSQL keeps three for its administrators; the migration, the restore drill and people need some as well.
  reserved = 20
}

resource "google_sql_database" "this" {
  name     = "anchor"
  instance = google_sql_database_instance.this.name
}
