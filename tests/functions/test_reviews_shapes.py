"""The shapes of the reviews API, field by field, as the dashboard has always got them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from tests.functions.reviews import Client, given_client, given_google  # noqa: F401  fixtures

_TS = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_KINDS: dict[str, Callable[[Any], bool]] = {
    "uuid": lambda value: isinstance(value, str) and bool(_UUID.fullmatch(value)),
    "ts": lambda value: isinstance(value, str) and bool(_TS.fullmatch(value)),
    "str": lambda value: isinstance(value, str),
    "digits": lambda value: isinstance(value, str) and value.isdigit(),
    "decimal": lambda value: isinstance(value, str) and bool(re.fullmatch(r"-?\d+\.\d+", value)),
    "int": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "bool": lambda value: isinstance(value, bool),
    "object": lambda value: isinstance(value, dict),
    "list": lambda value: isinstance(value, list),
    "null": lambda value: value is None,
}

REVIEW = """
    id:uuid client_id:uuid oauth_resource_id:uuid? platform:str platform_review_id:str location_name:str?
    location_id:null reviewer_name:str reviewer_photo_url:str? reviewer_profile_url:null rating:int review_text:str?
    review_language:str review_created_at:ts review_updated_at:ts? has_response:bool response_text:str?
    response_created_at:ts? response_updated_at:ts? is_flagged:bool flag_reason:str? flagged_at:ts? flagged_by:uuid?
    priority:str internal_notes:str? sentiment_score:decimal? sentiment_label:str? sentiment_analyzed_at:ts?
    last_synced_at:ts sync_error:null raw_data:object created_at:ts updated_at:ts
    state:str reply_status:str? reply_error:str?
"""
DRAFT = """
    id:uuid review_id:uuid client_id:uuid draft_text:str draft_version:int is_ai_generated:bool ai_model:str?
    ai_prompt_used:str? ai_generation_params:object status:str reviewed_by:uuid? reviewed_at:ts? review_notes:str?
    sent_at:ts? send_error:str? platform_response_id:str? created_by:uuid? created_at:ts updated_at:ts
"""
REQUEST = """
    id:uuid client_id:uuid oauth_resource_id:uuid? customer_name:str? customer_email:str? customer_phone:str?
    delivery_method:str review_link:str custom_message:str? status:str sent_at:ts? delivered_at:ts? opened_at:ts?
    clicked_at:ts? completed_at:ts? resulting_review_id:uuid? error_message:str? retry_count:int last_retry_at:ts?
    source:str campaign_id:uuid? metadata:object created_by:uuid? created_at:ts updated_at:ts location_name:str?
    tracked_link:str?
"""
SETTINGS = """
    client_id:uuid auto_sync_enabled:bool sync_interval_minutes:int last_sync_at:ts? sync_error:str?
    auto_flag_threshold:int? auto_flag_keywords:list notify_new_reviews:bool notify_negative_reviews:bool
    negative_review_threshold:int? notification_emails:list default_response_tone:str
    include_business_name_in_response:bool include_reviewer_name_in_response:bool response_signature:str?
    ai_drafting_enabled:bool ai_auto_draft_positive:bool ai_auto_draft_negative:bool
    default_review_request_template:str? review_link_base_url:str? created_at:ts? updated_at:ts?
"""
RULE = """
    id:uuid client_id:uuid name:str description:str? is_active:bool min_rating:int? max_rating:int?
    sentiment_filter:list keyword_triggers:list keyword_exclusions:list location_ids:list action_type:str
    response_template:str?
    use_ai_personalization:bool ai_tone:str requires_approval:bool approval_threshold_rating:int? notify_on_trigger:bool
    notification_emails:list daily_limit:int? hourly_limit:int? executions_today:int executions_this_hour:int
    last_reset_at:ts priority:int created_by:uuid? created_at:ts updated_at:ts delay_minutes:int
"""
LOG = """
    id:uuid client_id:uuid review_id:uuid? rule_id:uuid? draft_id:uuid? action_type:str action_status:str ai_model:str?
    ai_input:object ai_output:object ai_tokens_used:int? ai_latency_ms:int? human_action:str? human_action_by:uuid?
    human_action_at:ts? human_notes:str? error_message:str? error_details:object metadata:object created_at:ts
"""
STATISTICS = """
    total_reviews:digits period_reviews:digits pending_responses:digits flagged_count:digits average_rating:decimal?
    period_average:decimal? rating_5:digits rating_4:digits rating_3:digits rating_2:digits rating_1:digits
    positive_sentiment:digits neutral_sentiment:digits negative_sentiment:digits mixed_sentiment:digits
    avgResponseHours:decimal? periodDays:int requests:object
"""
PAGE = "page:int limit:int total:int totalPages:int"
LOCATION = "id:uuid resource_id:str resource_name:str resource_url:str? is_primary:bool is_enabled:bool"
CONNECTION = """
    id:uuid accountName:str? accountId:str? hasValidToken:bool lastError:str? scopesGranted:list connectedAt:ts
"""


def check(shown: dict[str, Any], shape: str, more: str = "") -> None:
    """Exactly these fields, each of its kind; a question mark allows null."""
    kinds = dict(field.split(":") for field in f"{shape} {more}".split())
    assert shown.keys() == kinds.keys()
    wrong = {
        name: shown[name]
        for name, kind in kinds.items()
        if not (kind.endswith("?") and shown[name] is None) and not _KINDS[kind.rstrip("?")](shown[name])
    }
    assert wrong == {}


async def get(client: Client, path: str) -> Any:
    return (await client.call("GET", path)).json()


async def test_reviews_and_drafts(client: Client) -> None:
    """List, detail, each kind of change, and every step of a draft."""
    _, stored = await client.have(rating=2)
    path = f"/{stored['id']}"
    made = (await client.call("POST", f"{path}/generate-response", json={})).json()
    check(made, "draft:object generationTime:int")
    draft = f"/drafts/{made['draft']['id']}"
    listed = await get(client, "")
    check(listed, "reviews:list pagination:object")
    check(listed["pagination"], PAGE)
    check(listed["reviews"][0], REVIEW, "pending_drafts:digits")
    shown = await get(client, path)
    check(shown, "review:object")
    check(shown["review"], REVIEW, "business_name:str? drafts:list")
    check(shown["review"]["drafts"][0], DRAFT)
    for change, body in (
        ("flag", {"flagged": True, "reason": None}),
        ("priority", {"priority": "low"}),
        ("notes", {"notes": "x"}),
    ):
        check((await client.call("PUT", f"{path}/{change}", json=body)).json()["review"], REVIEW)
    mood = (await client.call("POST", f"{path}/analyze-sentiment")).json()
    check(mood["sentiment"], "score:number label:str reasoning:str")
    check((await client.call("PUT", draft, json={"text": "x"})).json()["draft"], DRAFT)
    check((await client.call("POST", f"{draft}/approve")).json()["draft"], DRAFT)
    check((await client.call("POST", f"{draft}/send")).json(), "success:bool status:str")
    check((await get(client, path))["review"], REVIEW, "business_name:str? drafts:list")
    second = (await client.call("POST", f"{path}/draft", json={})).json()["draft"]
    check((await client.call("POST", f"/drafts/{second['id']}/discard")).json()["draft"], DRAFT)


async def test_syncs_and_numbers(client: Client) -> None:
    """The sync, the numbers, and what is told of connection and locations."""
    client.at_google(reviewReply="Thanks")
    check(
        (await client.call("POST", "/sync")).json(),
        "success:bool totalSynced:int newReviews:int updatedReviews:int errors:list",
    )
    numbers = await get(client, "/stats")
    check(numbers, STATISTICS)
    check(numbers["requests"], "total_requests:digits sent_requests:digits completed_requests:digits")
    status = await get(client, "/connection-status")
    check(status, "isConnected:bool connection:object locations:list totalLocations:int enabledLocations:int")
    check(status["connection"], CONNECTION)
    check(status["locations"][0], LOCATION, "created_at:ts")
    [location] = (await get(client, "/locations"))["locations"]
    check(location, LOCATION, "connection_name:str? connection_active:bool last_synced_at:ts? sync_error:str?")
    refreshed = (await client.call("POST", "/locations/refresh")).json()
    check(refreshed, "locations:list message:str")
    assert {"name", "title", "accountName", "accountId"} <= refreshed["locations"][0].keys()


async def test_settings_and_rules(client: Client) -> None:
    """Settings before and after the first save, a rule made, listed and changed, and what it did."""
    before = await get(client, "/settings")
    check(before["settings"], SETTINGS)
    saved = (await client.call("PUT", "/settings", json={"auto_flag_keywords": ["x"]})).json()
    check(saved["settings"], SETTINGS)
    rule = await client.rule(actionType="flag")
    check(rule, RULE)
    admin = {**await client.world.sign_in(await client.world.user("admin")), "X-Acting-User": str(client.id)}
    path = "/api/reviews/automation-rules"
    [listed] = (await client.world.call("GET", path, headers=admin)).json()["rules"]
    check(listed, RULE)
    changed = await client.world.call("PUT", f"{path}/{rule['id']}", json={"isActive": True}, headers=admin)
    check(changed.json()["rule"], RULE)
    await client.news()
    await client.work()
    logs = await get(client, "/automation-logs")
    check(logs, "logs:list pagination:object")
    check(logs["pagination"], PAGE)
    check(logs["logs"][0], LOG)


async def test_requests(client: Client) -> None:
    """A request made, listed and shown."""
    await client.sync()
    made = (await client.call("POST", "/requests", json={"deliveryMethod": "link_only", "locationId": ""})).json()
    check(made["request"], REQUEST)
    listed = await get(client, "/requests")
    check(listed, "requests:list pagination:object")
    check(listed["pagination"], PAGE)
    check(listed["requests"][0], REQUEST)
    check((await get(client, f"/requests/{made['request']['id']}"))["request"], REQUEST)
