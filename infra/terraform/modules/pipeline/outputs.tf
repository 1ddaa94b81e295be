output "deployer" {
  value = google_service_account.deployer.email
}
