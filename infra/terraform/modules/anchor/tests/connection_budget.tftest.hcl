# The plan fails when the functions could open more connections than the database takes.

mock_provider "google" {}
mock_provider "google-beta" {}

variables {
  environment        = "prod"
  project_id         = "anchor-test"
  project_number     = "123456789012"
  region             = "us-central1"
  image              = "us-central1-docker.pkg.dev/anchor-test/anchor/functions@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
  rendered           = "../.."
  app_base_url       = ""
  client_app_url     = ""
  cors_origins       = []
  settings           = {}
  notification_email = "operations@example.com"
  runbooks           = "runbooks"
  protected          = true
  pool_size          = 2
  max_instances_cap  = 20
  database = {
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

run "fits" {
  command = plan

  assert {
    condition = output.connection_budget.demand == 2 * sum([
      for function in jsondecode(file("../../functions.json")) : min(20, function.max_instances)
    ])
    error_message = "The demand is every function at its most instances, each with a full pool."
  }
}

run "one_connection_too_many" {
  command = plan

  variables {
    database = {
      edition          = "ENTERPRISE"
      tier             = "db-custom-1-3840"
      highly_available = false
      disk_gb          = 10
      disk_limit_gb    = 50
      recovery_days    = 2
      retained_backups = 3
      pooling          = false
      # 20 are kept for people and migrations: one less than the functions may need
      max_connections = 19 + 2 * sum([for function in jsondecode(file("../../functions.json")) : min(20, function.max_instances)])
    }
  }

  expect_failures = [terraform_data.connection_budget]
}

run "just_enough" {
  command = plan

  variables {
    database = {
      edition          = "ENTERPRISE"
      tier             = "db-custom-1-3840"
      highly_available = false
      disk_gb          = 10
      disk_limit_gb    = 50
      recovery_days    = 2
      retained_backups = 3
      pooling          = false
      max_connections  = 20 + 2 * sum([for function in jsondecode(file("../../functions.json")) : min(20, function.max_instances)])
    }
  }
}
