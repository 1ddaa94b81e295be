output "email" {
  value = local.email
}

output "grants" {
  value = [for grant in google_secret_manager_secret_iam_member.reads : { on = grant.secret_id, role = grant.role, member = grant.member }]
}
