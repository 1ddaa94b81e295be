# What a function is never deployed with.

mock_provider "google" {}

variables {
  name              = "jobs_check"
  service           = "jobs-check"
  area              = "jobs"
  trigger           = "http"
  region            = "us-central1"
  image             = "us-central1-docker.pkg.dev/anchor-test/anchor/functions@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
  service_account   = "fn-jobs@anchor-test.iam.gserviceaccount.com"
  invoker           = "serviceAccount:gateway@anchor-test.iam.gserviceaccount.com"
  request_timeout_s = 50
  memory_mb         = 256
  concurrency       = 40
  max_instances     = 10
  environment       = { ENVIRONMENT = "dev", FUNCTION_TARGET = "another" }
  secrets           = {}
  network           = "network"
  subnetwork        = "subnetwork"
}

run "a_good_one" {
  command = plan

  assert {
    condition     = { for env in google_cloud_run_v2_service.this.template[0].containers[0].env : env.name => env.value }["FUNCTION_TARGET"] == "jobs_check"
    error_message = "No setting can make a function another one."
  }
}

run "by_tag" {
  command = plan
  variables {
    image = "us-central1-docker.pkg.dev/anchor-test/anchor/functions:latest"
  }
  expect_failures = [var.image]
}

run "public" {
  command = plan
  variables {
    invoker = "allUsers"
  }
  expect_failures = [var.invoker]
}

run "name_too_long" {
  command = plan
  variables {
    service = "a-name-that-is-longer-than-cloud-run-takes-for-a-service"
  }
  expect_failures = [var.service]
}
