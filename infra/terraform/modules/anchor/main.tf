# Anchor Functions in one Google Cloud project. Which functions, queues, topics, schedules and rights there are is read
# from the files that `make render` derives from shared/manifest.py; nothing here names one.

locals {
  functions = { for function in jsondecode(file("${var.rendered}/functions.json")) : function.name => function }
  areas     = { for area in jsondecode(file("${var.rendered}/areas.json")) : area.name => area }
  queues    = { for queue in jsondecode(file("${var.rendered}/queues.json")) : queue.name => queue }
  topics    = { for topic in jsondecode(file("${var.rendered}/topics.json")) : topic.name => topic }

  # Without an image there is nothing to run: the first apply makes everything else, the registry included.
  running = { for name, function in local.functions : name => function if var.image != "" }

  # Cloud Run's address of a service is known before the service is.
  urls = {
    for name, function in local.functions : name =>
    "https://${function.service}-${var.project_number}.${var.region}.run.app"
  }

  max_instances = {
    for name, function in local.functions : name => min(function.max_instances, var.max_instances_cap)
  }
}

resource "google_project_service" "needed" {
  for_each = toset([
    "aiplatform", "apigateway", "artifactregistry", "cloudbuild", "cloudresourcemanager", "cloudscheduler",
    "cloudtasks", "compute", "firestore", "iam", "logging", "monitoring", "pubsub", "run", "secretmanager",
    "servicecontrol", "servicemanagement", "servicenetworking", "sqladmin", "storage",
  ])
  service            = "${each.value}.googleapis.com"
  disable_on_destroy = false
}

# ---- who calls whom

resource "google_service_account" "invoker" {
  account_id   = "invoker"
  display_name = "Cloud Tasks, Pub/Sub and Cloud Scheduler: may call tasks, events and schedules, nothing else"
  depends_on   = [google_project_service.needed]
}

locals {
  invoker_email  = "${google_service_account.invoker.account_id}@${var.project_id}.iam.gserviceaccount.com"
  invoker_member = "serviceAccount:${local.invoker_email}"
  pubsub_agent   = "serviceAccount:service-${var.project_number}@gcp-sa-pubsub.iam.gserviceaccount.com"
}

# Pub/Sub's own account exists once it is asked for; a right for an account that is not there is refused.
resource "google_project_service_identity" "pubsub" {
  provider   = google-beta
  service    = "pubsub.googleapis.com"
  depends_on = [google_project_service.needed]
}

# Pub/Sub makes the invoker's tokens for its pushes.
resource "google_service_account_iam_member" "pubsub_speaks_as_invoker" {
  service_account_id = google_service_account.invoker.name
  role               = "roles/iam.serviceAccountTokenCreator"
  member             = local.pubsub_agent
  depends_on         = [google_project_service_identity.pubsub]
}

resource "google_project_iam_custom_role" "predictor" {
  role_id     = "anchorPredictor"
  title       = "Ask Vertex AI's published models"
  permissions = ["aiplatform.endpoints.predict"]
}

module "area" {
  source   = "../area"
  for_each = local.areas

  name       = each.key
  project_id = var.project_id
  region     = var.region
  secrets = {
    for name in concat(["DATABASE_URL"], each.value.secrets) : name => module.secrets.ids[name]
  }
  queues             = { for name in each.value.queues : name => module.queue[name].name }
  topics             = { for name in each.value.topics : name => local.topic_names[name] }
  google             = each.value.google
  invoker_id         = google_service_account.invoker.name
  bucket             = module.storage.name
  vertex_role        = google_project_iam_custom_role.predictor.id
  firestore_database = module.firestore.id
}

# ---- what runs

module "function" {
  source   = "../function"
  for_each = local.running

  name              = each.key
  service           = each.value.service
  area              = each.value.area
  trigger           = each.value.trigger
  region            = var.region
  image             = var.image
  service_account   = module.area[each.value.area].email
  invoker           = each.value.trigger == "http" ? module.gateway.member : local.invoker_member
  request_timeout_s = each.value.request_timeout_s
  memory_mb         = each.value.memory_mb
  concurrency       = each.value.concurrency
  min_instances     = lookup(var.min_instances, each.key, 0)
  max_instances     = local.max_instances[each.key]
  environment       = local.environment
  secrets = {
    for name in concat(["DATABASE_URL"], local.areas[each.value.area].secrets) : name => {
      secret  = module.secrets.ids[name]
      version = lookup(var.secret_versions, name, "latest")
    }
  }
  network    = module.network.network
  subnetwork = module.network.subnetwork
}

locals {
  # Our own address, or Google's name for the gateway (there is none before the first image).
  base_url = coalesce(var.app_base_url, "https://${coalesce(module.gateway.hostname, "gateway.invalid")}")

  # The fields of shared/config.py that differ from their defaults; var.settings adds the rest.
  environment = merge(var.settings, {
    ENVIRONMENT           = var.environment
    APP_BASE_URL          = local.base_url
    CLIENT_APP_URL        = var.client_app_url
    CORS_ORIGINS          = join(",", var.cors_origins)
    BEHIND_GATEWAY        = "true"
    TRUSTED_PROXY_HOPS    = tostring(var.trusted_proxy_hops)
    DATABASE_POOL_SIZE    = tostring(var.pool_size)
    GCP_PROJECT_ID        = var.project_id
    GCP_REGION            = var.region
    FUNCTION_URL_TEMPLATE = "https://{service}-${var.project_number}.${var.region}.run.app"
    INVOKER_EMAIL         = local.invoker_email
    UPLOADS_BUCKET        = module.storage.name
  })
}

module "gateway" {
  source         = "../gateway"
  project_id     = var.project_id
  project_number = var.project_number
  region         = var.region
  document       = "${var.rendered}/gateway.json"
  open           = length(local.running) > 0
  depends_on     = [google_project_service.needed]
}

module "migration" {
  source     = "../migration"
  project_id = var.project_id
  region     = var.region
  image      = var.image
  secrets = {
    for name in ["DATABASE_URL", "ENCRYPTION_KEYS"] : name => {
      secret  = module.secrets.ids[name]
      version = lookup(var.secret_versions, name, "latest")
    }
  }
  network    = module.network.network
  subnetwork = module.network.subnetwork
}

# ---- work

module "queue" {
  source     = "../queue"
  for_each   = local.queues
  queue      = each.value
  region     = var.region
  depends_on = [google_project_service.needed]
}

locals {
  # Every listener's refused messages end in this one, whose own listener has nowhere further to send them.
  dead_letters  = "dead-letters"
  living_topics = { for name, topic in local.topics : name => topic if name != local.dead_letters }
  dead_topic    = { for name, topic in local.topics : name => topic if name == local.dead_letters }
  listeners = {
    for name, topic in local.topics : name => {
      for listener in topic.listeners : listener => {
        url               = local.urls[listener]
        request_timeout_s = local.functions[listener].request_timeout_s
      } if contains(keys(local.running), listener)
    }
  }
  topic_names = merge(
    { for name, topic in module.topic : name => topic.name },
    { for name, topic in module.dead_letters : name => topic.name },
  )
}

module "dead_letters" {
  source        = "../topic"
  for_each      = local.dead_topic
  project_id    = var.project_id
  topic         = each.value
  region        = var.region
  listeners     = local.listeners[each.key]
  invoker_email = local.invoker_email
  pubsub_agent  = local.pubsub_agent
  depends_on    = [google_project_service_identity.pubsub]
}

module "topic" {
  source            = "../topic"
  for_each          = local.living_topics
  project_id        = var.project_id
  topic             = each.value
  region            = var.region
  listeners         = local.listeners[each.key]
  invoker_email     = local.invoker_email
  pubsub_agent      = local.pubsub_agent
  dead_letter_topic = module.dead_letters[local.dead_letters].id
  depends_on        = [google_project_service_identity.pubsub]
}

resource "google_pubsub_topic_iam_member" "pubsub_buries" {
  topic      = module.dead_letters[local.dead_letters].name
  role       = "roles/pubsub.publisher"
  member     = local.pubsub_agent
  depends_on = [google_project_service_identity.pubsub]
}

module "schedule" {
  source   = "../schedule"
  for_each = { for name, function in local.running : name => function if function.trigger == "schedule" }

  name              = each.key
  service           = each.value.service
  region            = var.region
  cron              = each.value.cron
  url               = local.urls[each.key]
  request_timeout_s = each.value.request_timeout_s
  invoker_email     = local.invoker_email
  paused            = var.paused
}

# ---- what is kept

module "network" {
  source     = "../network"
  region     = var.region
  depends_on = [google_project_service.needed]
}

module "database" {
  source                 = "../database"
  name                   = var.database.instance
  region                 = var.region
  network                = module.network.network
  postgres_version       = var.database.postgres_version
  edition                = var.database.edition
  tier                   = var.database.tier
  highly_available       = var.database.highly_available
  disk_gb                = var.database.disk_gb
  disk_limit_gb          = var.database.disk_limit_gb
  recovery_days          = var.database.recovery_days
  retained_backups       = var.database.retained_backups
  pooling                = var.database.pooling
  max_connections        = var.database.max_connections
  max_client_connections = var.database.max_client_connections
  pool_size              = var.database.pool_size
  protected              = var.protected
  depends_on             = [module.network]
}

module "firestore" {
  source     = "../firestore"
  project_id = var.project_id
  region     = var.region
  ttl_fields = var.firestore_ttl_fields
  protected  = var.protected
  depends_on = [google_project_service.needed]
}

module "storage" {
  source     = "../storage"
  name       = "${var.project_id}-uploads"
  region     = var.region
  depends_on = [google_project_service.needed]
}

module "secrets" {
  source     = "../secrets"
  names      = toset(concat(["DATABASE_URL"], flatten([for area in local.areas : area.secrets])))
  region     = var.region
  protected  = var.protected
  depends_on = [google_project_service.needed]
}

module "registry" {
  source     = "../registry"
  region     = var.region
  project_id = var.project_id
  depends_on = [google_project_service.needed]
}

# ---- the budgets: every function at its most instances must find connections (each its full pool) and addresses

locals {
  instances         = sum(concat([0], values(local.max_instances)))
  connection_demand = sum(concat([0], [for most in values(local.max_instances) : most * var.pool_size]))
}

resource "terraform_data" "connection_budget" {
  input = { demand = local.connection_demand, limit = module.database.connection_limit }

  lifecycle {
    precondition {
      condition     = local.connection_demand <= module.database.connection_limit
      error_message = <<-EOT
        The functions may hold ${local.connection_demand} database connections (instances × pool of ${var.pool_size}),
        the database takes ${module.database.connection_limit}. Lower max_instances in the manifest or
        max_instances_cap or pool_size here, or turn on pooling, before choosing a bigger machine.
      EOT
    }
    precondition {
      # https://docs.cloud.google.com/run/docs/configuring/vpc-direct-vpc: an instance takes two, as replaced ones linger
      condition     = 2 * local.instances <= module.network.addresses
      error_message = "${local.instances} instances need twice as many addresses, the network has ${module.network.addresses}: widen functions_range."
    }
  }
}

# ---- watching it

module "monitoring" {
  source             = "../monitoring"
  project_id         = var.project_id
  services           = { for name, function in local.running : function.service => function.trigger }
  hostname           = module.gateway.hostname
  watch_gateway      = length(local.running) > 0
  max_connections    = module.database.max_connections
  database           = "${var.project_id}:${module.database.instance}"
  notification_email = var.notification_email
  runbooks           = var.runbooks
  depends_on         = [google_project_service.needed]
}

module "pipeline" {
  source         = "../pipeline"
  count          = var.pipeline == null ? 0 : 1
  project_id     = var.project_id
  environment    = var.environment
  region         = var.region
  repository     = var.pipeline.repository
  branch         = var.pipeline.branch
  state_bucket   = var.pipeline.state_bucket
  approvers      = var.pipeline.approvers
  image_registry = module.registry.repository
  depends_on     = [google_project_service.needed]
}
