# Holds for every environment, against what `make render` derived from the manifest. Nothing is created: the providers
# are mocked.

mock_provider "google" {}
mock_provider "google-beta" {}

variables {
  project_id         = "anchor-test"
  project_number     = "123456789012"
  region             = "us-central1" # whatever terraform.tfvars says
  notification_email = "operations@example.com"
  client_app_url     = "https://dashboard.example.com"
  image              = "us-central1-docker.pkg.dev/anchor-test/anchor/functions@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
}

run "everything" {
  command = apply

  assert {
    condition = (
      { for name, service in module.anchor.services : name => service.service } ==
      { for function in jsondecode(file("../../functions.json")) : function.name => function.service }
    )
    error_message = "Each entry of the manifest is one service, and there is no other."
  }

  assert {
    condition     = alltrue([for service in values(module.anchor.services) : service.image == var.image])
    error_message = "Every function runs the one image."
  }

  assert {
    condition = alltrue([
      for function in jsondecode(file("../../functions.json")) : module.anchor.services[function.name].service_account == "fn-${function.area}@anchor-test.iam.gserviceaccount.com"
    ])
    error_message = "Every function runs as its area's account."
  }

  assert {
    condition = alltrue([
      for function in jsondecode(file("../../functions.json")) :
      module.anchor.services[function.name].ingress == (function.trigger == "http" ? "INGRESS_TRAFFIC_ALL" : "INGRESS_TRAFFIC_INTERNAL_ONLY")
    ])
    error_message = "Work is reached from inside Google only."
  }

  # The IAM table, whole: what the manifest asks for is granted, and nothing else.
  assert {
    condition = toset([
      for grant in module.anchor.grants : "${grant.on} | ${grant.role} | ${grant.member}" if !strcontains(grant.on, "project") && !startswith(grant.member, "serviceAccount:migration@")
      ]) == toset(concat(
      [
        for function in jsondecode(file("../../functions.json")) :
        "${function.service} | roles/run.invoker | serviceAccount:${function.trigger == "http" ? "gateway" : "invoker"}@anchor-test.iam.gserviceaccount.com"
      ],
      flatten([
        for area in jsondecode(file("../../areas.json")) : concat(
          [for name in concat(["DATABASE_URL"], area.secrets) : "${name} | roles/secretmanager.secretAccessor | serviceAccount:fn-${area.name}@anchor-test.iam.gserviceaccount.com"],
          [for name in area.queues : "${name} | roles/cloudtasks.enqueuer | serviceAccount:fn-${area.name}@anchor-test.iam.gserviceaccount.com"],
          [for name in area.topics : "${name} | roles/pubsub.publisher | serviceAccount:fn-${area.name}@anchor-test.iam.gserviceaccount.com"],
          [for _ in slice(["once"], 0, min(1, length(area.queues))) : "invoker | roles/iam.serviceAccountUser | serviceAccount:fn-${area.name}@anchor-test.iam.gserviceaccount.com"],
          [for service in area.google : "anchor-test-uploads | roles/storage.objectUser | serviceAccount:fn-${area.name}@anchor-test.iam.gserviceaccount.com" if service == "storage"],
        )
      ]),
    ))
    error_message = "What the accounts may do differs from what the manifest says they use."
  }

  assert {
    condition = toset([
      for grant in module.anchor.grants : "${grant.on} | ${grant.member}" if strcontains(grant.on, "project")
      ]) == toset(flatten([
        for area in jsondecode(file("../../areas.json")) : [
          for service in area.google :
          "${service == "vertex" ? "project" : "project, our Firestore database"} | serviceAccount:fn-${area.name}@anchor-test.iam.gserviceaccount.com" if service != "storage"
        ]
    ]))
    error_message = "Only areas that use Vertex AI or Firestore have a right on the project."
  }

  assert {
    condition     = !anytrue([for grant in module.anchor.grants : strcontains(grant.member, "allUsers") || strcontains(grant.member, "allAuthenticatedUsers")])
    error_message = "No function, secret, queue, topic or bucket is open to everybody."
  }

  assert {
    condition = (
      { for name, subscription in module.anchor.subscriptions : name => subscription.endpoint } ==
      { for function in jsondecode(file("../../functions.json")) : function.name => "https://${function.service}-123456789012.us-central1.run.app" if function.trigger == "event" }
    )
    error_message = "Each listener has one subscription, which calls it."
  }

  assert {
    condition = alltrue([
      for name, subscription in module.anchor.subscriptions : subscription.audience == subscription.endpoint && subscription.caller == "invoker@anchor-test.iam.gserviceaccount.com"
    ])
    error_message = "Pushes carry the invoker's token for the listener's own address."
  }

  assert {
    condition = alltrue(flatten([
      for topic in jsondecode(file("../../topics.json")) : [
        for listener in topic.listeners : length(module.anchor.subscriptions[listener].dead) == (topic.name == "dead-letters" ? 0 : 1) && alltrue([for attempts in module.anchor.subscriptions[listener].dead : attempts == topic.attempts])
      ]
    ]))
    error_message = "What a listener refuses too often goes to the dead letters; the dead letters' own listener has no further place."
  }

  assert {
    condition = (
      { for name, schedule in module.anchor.schedules : name => schedule.cron } ==
      { for function in jsondecode(file("../../functions.json")) : function.name => function.cron if function.trigger == "schedule" }
    )
    error_message = "Each schedule of the manifest is one job with its cron."
  }

  assert {
    condition = toset(keys(module.anchor.gateway_document.x-google-api-management.backends)) == toset([
      for function in jsondecode(file("../../functions.json")) : function.name if function.trigger == "http"
    ])
    error_message = "The gateway leads to the HTTP functions and to no other."
  }

  assert {
    condition = alltrue([
      for backend in values(module.anchor.gateway_document.x-google-api-management.backends) :
      backend.address == backend.jwtAudience && backend.pathTranslation == "APPEND_PATH_TO_ADDRESS" && endswith(backend.address, "-123456789012.us-central1.run.app")
    ])
    error_message = "Each back end is called at its own address, for its own audience, with the caller's path."
  }
}

run "before_the_first_image" {
  command = plan

  variables {
    image = "none"
  }

  assert {
    condition     = length(module.anchor.services) == 0 && length(module.anchor.subscriptions) == 0 && length(module.anchor.schedules) == 0
    error_message = "Without an image nothing runs, and everything it needs is made."
  }
}

run "an_apply_that_forgets_the_image" {
  command = plan

  variables {
    image = ""
  }

  expect_failures = [var.image]
}
