"""What Carbon Black EDR documents of the routes that the twin has: the REST API's reference, and what the vendor's own client
(`cbapi`) sends. `cb.fq.` stands before the name of a field that a search is narrowed by.
"""

from __future__ import annotations

from ..documented import Documentation, documented_in

_server = documented_in("REST API: server; cbapi.response.rest_api")
_sensors = documented_in("REST API: sensors and sensor groups; cbapi.response.models")
_banning = documented_in("REST API: banning; cbapi.response.models.BannedHash")
_live = documented_in("REST API: Live Response; cbapi.live_response_api")
_alerts = documented_in("REST API: alerts and processes; cbapi.response.models")

_LIVE = "/api/v1/cblr/session"
_BANS = "/api/v1/banning/blacklist"
_FIND = "hostname ip groupid inactive_filter_days"
_BAN = (
    "md5hash text enabled last_ban_time ban_count last_ban_host username user_id audit audit.* timestamp block_count last_block_time "
    "last_block_hostname last_block_sensor_id"
)

DOCUMENTATION = Documentation(
    headers=frozenset({"x-auth-token"}),
    routes={
        ("GET", "/api/info"): _server(),
        ("GET", "/api/v1/storage/events/partition"): _server(),
        ("GET", "/api/v1/sensor"): _sensors(query=_FIND),
        ("GET", "/api/v2/sensor"): _sensors(query=f"{_FIND} start rows sort"),
        ("GET", "/api/v1/sensor/*"): _sensors(),
        ("PUT", "/api/v1/sensor/*"): _sensors(
            body="network_isolation_enabled restart_queued uninstall liveresponse_init group_id notes event_log_flush_time"
        ),
        ("GET", "/api/v1/group"): _sensors(),
        ("GET", "/api/v3/group"): _sensors(),
        ("GET", "/api/v3/group/*"): _sensors(),
        ("GET", _BANS): _banning(query="count"),
        ("POST", _BANS): _banning(body=_BAN),
        ("GET", f"{_BANS}/*"): _banning(),
        ("PUT", f"{_BANS}/*"): _banning(body=_BAN),
        ("DELETE", f"{_BANS}/*"): _banning(),
        ("GET", _LIVE): _live(query="active_only"),
        ("POST", _LIVE): _live(body="sensor_id sensor_wait_timeout"),
        ("GET", f"{_LIVE}/*"): _live(query="wait"),
        ("PUT", f"{_LIVE}/*"): _live(body="session_id status"),
        ("GET", f"{_LIVE}/*/keepalive"): _live(),
        ("GET", f"{_LIVE}/*/command"): _live(),
        ("POST", f"{_LIVE}/*/command"): _live(body="session_id name object"),
        ("GET", f"{_LIVE}/*/command/*"): _live(query="wait"),
        ("GET", f"{_LIVE}/*/file/*/content"): _live(),
        ("GET", "/api/v2/alert"): _alerts(query="q rows start sort cb.fq.*"),
        ("POST", "/api/v1/alert/*"): _alerts(body="unique_id status"),
        ("POST", "/api/v1/alerts"): _alerts(body="alert_ids requested_status set_ignored assigned_to query"),
        ("GET", "/api/v1/process/*/*"): _alerts(),
    },
)
