output "email" {
  description = "Usable once the account may read its secrets: a function that cannot is refused."
  value       = local.email
  depends_on  = [google_secret_manager_secret_iam_member.reads]
}

output "member" {
  value = local.member
}

output "grants" {
  description = "Every right of the area's account, as bound: {on, role, member}."
  value = concat(
    [for grant in google_secret_manager_secret_iam_member.reads : { on = grant.secret_id, role = grant.role, member = grant.member }],
    [for grant in google_cloud_tasks_queue_iam_member.enqueues : { on = grant.name, role = grant.role, member = grant.member }],
    [for grant in google_service_account_iam_member.lends_invoker : { on = "invoker", role = grant.role, member = grant.member }],
    [for grant in google_pubsub_topic_iam_member.publishes : { on = grant.topic, role = grant.role, member = grant.member }],
    [for grant in google_storage_bucket_iam_member.files : { on = grant.bucket, role = grant.role, member = grant.member }],
    [for grant in google_project_iam_member.predicts : { on = "project", role = grant.role, member = grant.member }],
    [for grant in google_project_iam_member.documents : { on = "project, our Firestore database", role = grant.role, member = grant.member }],
  )
}
