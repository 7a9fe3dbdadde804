"""What CrowdStrike documents of the routes that the twin has: Falcon's API reference, as falconpy carries it in its list of
endpoints (`falconpy/_endpoint`) and in the payloads that it describes (`falconpy/_payload`).
"""

from __future__ import annotations

from ..documented import Documentation, documented_in

_oauth = documented_in("OAuth2: oauth2AccessToken, oauth2RevokeToken")
_hosts = documented_in("Hosts")
_groups = documented_in("Host Group")
_iocs = documented_in("IOC")
_rtr = documented_in("Real Time Response")
_quarantine = documented_in("Quarantine")
_alerts = documented_in("Alerts")

_LIST = "filter offset limit sort"
_ROW = (
    "indicators indicators.action indicators.applied_globally indicators.description indicators.expiration indicators.host_groups "
    "indicators.metadata indicators.metadata.filename indicators.mobile_action indicators.platforms indicators.severity "
    "indicators.source indicators.tags indicators.type indicators.value"
)
_BULK = "bulk_update bulk_update.*"
_COMMAND = "base_command command_string session_id device_id id persist"
_BATCH = "base_command command_string batch_id optional_hosts persist_all"
_WAIT = "timeout timeout_duration"

DOCUMENTATION = Documentation(
    headers=frozenset({"authorization"}),
    scheme="Bearer ",
    routes={
        ("POST", "/oauth2/token"): _oauth(body="client_id client_secret member_cid"),
        ("POST", "/oauth2/revoke"): _oauth(body="client_id token"),
        ("GET", "/devices/queries/devices/v1"): _hosts(query=_LIST),
        ("GET", "/devices/queries/devices-scroll/v1"): _hosts(query=_LIST),
        ("GET", "/devices/combined/devices/v1"): _hosts(query=f"{_LIST} fields"),
        ("GET", "/devices/entities/devices/v2"): _hosts(query="ids"),
        ("POST", "/devices/entities/devices/v2"): _hosts(body="ids"),
        ("GET", "/devices/entities/online-state/v1"): _hosts(query="ids"),
        ("POST", "/devices/entities/devices-actions/v2"): _hosts(
            query="action_name", body="ids action_parameters action_parameters.name action_parameters.value"
        ),
        ("GET", "/devices/combined/host-groups/v1"): _groups(query=_LIST),
        ("GET", "/devices/queries/host-groups/v1"): _groups(query=_LIST),
        ("GET", "/devices/entities/host-groups/v1"): _groups(query="ids"),
        ("GET", "/devices/combined/host-group-members/v1"): _groups(query=f"{_LIST} id"),
        ("GET", "/devices/queries/host-group-members/v1"): _groups(query=f"{_LIST} id"),
        ("GET", "/iocs/combined/indicator/v1"): _iocs(query=f"{_LIST} after from_parent"),
        ("GET", "/iocs/queries/indicators/v1"): _iocs(query=f"{_LIST} after from_parent"),
        ("GET", "/iocs/entities/indicators/v1"): _iocs(query="ids"),
        ("POST", "/iocs/entities/indicators/v1"): _iocs(query="retrodetects ignore_warnings", body=f"comment {_ROW}"),
        ("PATCH", "/iocs/entities/indicators/v1"): _iocs(
            query="retrodetects ignore_warnings", body=f"comment {_ROW} indicators.id {_BULK}"
        ),
        ("DELETE", "/iocs/entities/indicators/v1"): _iocs(query="filter ids comment from_parent"),
        ("GET", "/iocs/queries/ioc-types/v1"): _iocs(query="offset limit"),
        ("GET", "/iocs/queries/actions/v1"): _iocs(query="offset limit"),
        ("GET", "/iocs/queries/severities/v1"): _iocs(query="offset limit"),
        ("GET", "/iocs/queries/platforms/v1"): _iocs(query="offset limit"),
        ("POST", "/real-time-response/entities/sessions/v1"): _rtr(query=_WAIT, body="device_id origin queue_offline"),
        ("DELETE", "/real-time-response/entities/sessions/v1"): _rtr(query="session_id"),
        ("POST", "/real-time-response/entities/refresh-session/v1"): _rtr(body="device_id origin queue_offline"),
        ("POST", "/real-time-response/entities/command/v1"): _rtr(body=_COMMAND),
        ("GET", "/real-time-response/entities/command/v1"): _rtr(query="cloud_request_id sequence_id"),
        ("POST", "/real-time-response/entities/active-responder-command/v1"): _rtr(body=_COMMAND),
        ("GET", "/real-time-response/entities/active-responder-command/v1"): _rtr(query="cloud_request_id sequence_id"),
        ("POST", "/real-time-response/entities/queued-sessions/GET/v1"): _rtr(body="ids"),
        ("DELETE", "/real-time-response/entities/queued-sessions/command/v1"): _rtr(query="session_id cloud_request_id"),
        ("POST", "/real-time-response/combined/batch-init-session/v1"): _rtr(
            query=f"{_WAIT} host_timeout_duration", body="host_ids queue_offline existing_batch_id"
        ),
        ("POST", "/real-time-response/combined/batch-refresh-session/v1"): _rtr(query=_WAIT, body="batch_id hosts_to_remove"),
        ("POST", "/real-time-response/combined/batch-command/v1"): _rtr(query=f"{_WAIT} host_timeout_duration", body=_BATCH),
        ("POST", "/real-time-response/combined/batch-active-responder-command/v1"): _rtr(
            query=f"{_WAIT} host_timeout_duration", body=_BATCH
        ),
        ("GET", "/quarantine/queries/quarantined-files/v1"): _quarantine(query=f"{_LIST} q"),
        ("POST", "/quarantine/entities/quarantined-files/GET/v1"): _quarantine(body="ids"),
        ("PATCH", "/quarantine/entities/quarantined-files/v1"): _quarantine(body="ids action comment"),
        ("POST", "/alerts/combined/alerts/v1"): _alerts(body="filter sort limit after"),
        ("GET", "/alerts/queries/alerts/v2"): _alerts(query=f"{_LIST} q include_hidden"),
        ("POST", "/alerts/entities/alerts/v2"): _alerts(query="include_hidden", body="composite_ids"),
        ("PATCH", "/alerts/entities/alerts/v3"): _alerts(
            query="include_hidden", body="composite_ids action_parameters action_parameters.name action_parameters.value"
        ),
    },
)
