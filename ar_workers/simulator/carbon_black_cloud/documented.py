"""What Carbon Black Cloud documents of the routes that the twin has: the developer network's pages of each API, and what the
vendor's own SDK (`cbc_sdk`) sends.
"""

from __future__ import annotations

from ..documented import Documentation, documented_in

_devices = documented_in("Devices API v6; cbc_sdk.platform.devices")
_actions = documented_in("Device Actions, Devices API v6; cbc_sdk.platform.devices")
_groups = documented_in("Asset Groups API v1; cbc_sdk.platform.asset_groups")
_policies = documented_in("Policy Service v1; cbc_sdk.platform.policies")
_overrides = documented_in("Reputation Override API v6; cbc_sdk.platform.reputation")
_live = documented_in("Live Response API v6; cbc_sdk.live_response_api")
_alerts = documented_in("Alerts API v7; cbc_sdk.platform.alerts")

_V6 = "/appservices/v6/orgs/*"
_LIVE = f"{_V6}/liveresponse/sessions"
_GROUPS = "/asset_groups/v1/orgs/*/groups"
_ALERTS = "/api/alerts/v7/orgs/*/alerts"
_SEARCH = "criteria criteria.* exclusions exclusions.* query rows"
_SORT = "sort sort.field sort.order"

DOCUMENTATION = Documentation(
    headers=frozenset({"x-auth-token"}),
    routes={
        ("POST", f"{_V6}/devices/_search"): _devices(body=f"{_SEARCH} start {_SORT}"),
        ("POST", f"{_V6}/devices/_scroll"): _devices(body=f"{_SEARCH} {_SORT} search_after"),
        ("GET", f"{_V6}/devices/*"): _devices(),
        ("POST", f"{_V6}/device_actions"): _actions(body="action_type device_id options options.toggle search search.*"),
        ("GET", _GROUPS): _groups(query="rows start"),
        ("POST", f"{_GROUPS}/_search"): _groups(body=f"criteria criteria.* query rows start {_SORT}"),
        ("GET", f"{_GROUPS}/*"): _groups(),
        ("GET", f"{_GROUPS}/*/members"): _groups(query="rows start"),
        ("GET", "/policyservice/v1/orgs/*/policies/summary"): _policies(),
        ("POST", f"{_V6}/reputations/overrides"): _overrides(
            body="description override_list override_type sha256_hash filename signed_by certificate_authority path include_child_processes"
        ),
        ("POST", f"{_V6}/reputations/overrides/_search"): _overrides(
            body="criteria criteria.override_list criteria.override_type query rows start sort_field sort_order"
        ),
        ("POST", f"{_V6}/reputations/overrides/_delete"): _overrides(),
        ("GET", f"{_V6}/reputations/overrides/*"): _overrides(),
        ("DELETE", f"{_V6}/reputations/overrides/*"): _overrides(),
        ("POST", _LIVE): _live(body="device_id"),
        ("GET", f"{_LIVE}/*"): _live(),
        ("DELETE", f"{_LIVE}/*"): _live(),
        ("GET", f"{_LIVE}/*/keepalive"): _live(),
        ("POST", f"{_LIVE}/*/commands"): _live(body="name path pid"),
        ("GET", f"{_LIVE}/*/commands/*"): _live(),
        ("DELETE", f"{_LIVE}/*/commands/*"): _live(),
        ("GET", f"{_LIVE}/*/files/*/content"): _live(),
        ("POST", f"{_ALERTS}/_search"): _alerts(
            body=f"{_SEARCH} start {_SORT} time_range time_range.start time_range.end time_range.range"
        ),
        ("GET", f"{_ALERTS}/*"): _alerts(),
    },
)
