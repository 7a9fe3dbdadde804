"""What Cortex XDR documents of the routes that the twin has: the API reference, as `cortex-xdr-client` carries it operation by
operation, and what the vendor's own integration for XSOAR sends (`detailed_response`, the removal from a list).
"""

from __future__ import annotations

from ..documented import Documentation, documented_in

_endpoints = documented_in("API reference: Endpoint Management")
_response = documented_in("API reference: Response Actions")
_hashes = documented_in("API reference: Hash Exceptions; XSOAR's CoreIRApiModule")
_scripts = documented_in("API reference: Script Execution")
_alerts = documented_in("API reference: Incident Management, Get Alerts")
_system = documented_in("API reference: System Management, API Keys")

_V1 = "/public_api/v1"
_IN = "request_data"
_FILTERS = "filters filters.field filters.operator filters.value"
_PAGE = "search_from search_to sort sort.field sort.keyword"
_HASHES = "hash_list comment incident_id"

DOCUMENTATION = Documentation(
    headers=frozenset({"authorization", "x-xdr-auth-id", "x-xdr-nonce", "x-xdr-timestamp"}),
    routes={
        ("GET", f"{_V1}/healthcheck"): _system(),
        ("POST", "/api_keys/validate"): _system(within=_IN),
        ("POST", f"{_V1}/endpoints/get_endpoint"): _endpoints(within=_IN, body=f"{_FILTERS} {_PAGE}"),
        ("POST", f"{_V1}/endpoints/get_endpoints"): _endpoints(within=_IN),
        ("POST", f"{_V1}/endpoints/isolate"): _response(within=_IN, body=f"endpoint_id incident_id {_FILTERS}"),
        ("POST", f"{_V1}/endpoints/unisolate"): _response(within=_IN, body=f"endpoint_id incident_id {_FILTERS}"),
        ("POST", f"{_V1}/endpoints/quarantine"): _response(within=_IN, body=f"{_FILTERS} file_path file_hash incident_id"),
        ("POST", f"{_V1}/endpoints/restore"): _response(within=_IN, body="file_hash endpoint_id incident_id"),
        ("POST", f"{_V1}/quarantine/status"): _response(within=_IN, body="files files.endpoint_id files.file_path files.file_hash"),
        ("POST", f"{_V1}/actions/get_action_status"): _response(within=_IN, body="group_action_id"),
        ("POST", f"{_V1}/hash_exceptions/blocklist"): _hashes(within=_IN, body=f"{_HASHES} detailed_response"),
        ("POST", f"{_V1}/hash_exceptions/blocklist/remove"): _hashes(within=_IN, body=_HASHES),
        ("POST", f"{_V1}/hash_exceptions/allowlist"): _hashes(within=_IN, body=f"{_HASHES} detailed_response"),
        ("POST", f"{_V1}/hash_exceptions/allowlist/remove"): _hashes(within=_IN, body=_HASHES),
        ("POST", f"{_V1}/scripts/get_scripts"): _scripts(within=_IN, body=_FILTERS),
        ("POST", f"{_V1}/scripts/get_script_metadata"): _scripts(within=_IN, body="script_uid"),
        ("POST", f"{_V1}/scripts/run_script"): _scripts(
            within=_IN, body=f"script_uid timeout parameters_values parameters_values.* incident_id {_FILTERS}"
        ),
        ("POST", f"{_V1}/scripts/get_script_execution_status"): _scripts(within=_IN, body="action_id"),
        ("POST", f"{_V1}/scripts/get_script_execution_results"): _scripts(within=_IN, body="action_id"),
        ("POST", f"{_V1}/alerts/get_alerts"): _alerts(within=_IN, body=f"{_FILTERS} {_PAGE}"),
        ("POST", f"{_V1}/alerts/get_alerts_multi_events"): _alerts(within=_IN, body=f"{_FILTERS} {_PAGE}"),
        ("POST", "/public_api/v2/alerts/get_alerts_multi_events"): _alerts(within=_IN, body=f"{_FILTERS} {_PAGE}"),
    },
)
