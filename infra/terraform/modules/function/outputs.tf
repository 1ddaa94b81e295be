output "service" {
  value = google_cloud_run_v2_service.this.name
}

output "summary" {
  description = "What is deployed, for tests."
  value = {
    service         = google_cloud_run_v2_service.this.name
    image           = google_cloud_run_v2_service.this.template[0].containers[0].image
    ingress         = google_cloud_run_v2_service.this.ingress
    service_account = google_cloud_run_v2_service.this.template[0].service_account
    secrets = sort([
      for env in google_cloud_run_v2_service.this.template[0].containers[0].env : env.name if length(env.value_source) > 0
    ])
  }
}

output "grant" {
  description = "Who may call it, as bound."
  value = {
    on     = google_cloud_run_v2_service_iam_member.invoker.name
    role   = google_cloud_run_v2_service_iam_member.invoker.role
    member = google_cloud_run_v2_service_iam_member.invoker.member
  }
}
