"""What Red Canary documents of the routes that the twin has: the portal's own OpenAPI document of v3, and the REST API's FAQ."""

from __future__ import annotations

from ..documented import Documentation, documented_in

_detections = documented_in("OpenAPI v3: Detections")
_endpoints = documented_in("OpenAPI v3: Endpoints")
_automate = documented_in("OpenAPI v3: Automate")

_PAGE = "page per_page count_mode"

DOCUMENTATION = Documentation(
    headers=frozenset({"x-api-key"}),
    routes={
        ("GET", "/detections"): _detections(query=f"{_PAGE} since"),
        ("GET", "/detections/*"): _detections(query=_PAGE),
        ("GET", "/detections/*/timeline"): _detections(query=_PAGE),
        ("GET", "/detections/*/marked_indicators_of_compromise"): _detections(query=_PAGE),
        ("PATCH", "/detections/*/mark_acknowledged"): _detections(),
        ("PATCH", "/detections/*/update_remediation_state"): _detections(
            query="remediation_state comment", body="remediation_state comment"
        ),
        ("GET", "/endpoints"): _endpoints(query=_PAGE),
        ("GET", "/endpoints/*"): _endpoints(query=_PAGE),
        ("GET", "/endpoints/sensor_id/*"): _endpoints(query=_PAGE),
        ("POST", "/endpoints/isolate"): _endpoints(query="ids ids[]", body="ids"),
        ("DELETE", "/endpoints/isolate"): _endpoints(query="ids ids[]", body="ids"),
        ("PUT", "/endpoints/*/reporting_tags/*"): _endpoints(query="value", body="value"),
        ("DELETE", "/endpoints/*/reporting_tags/*"): _endpoints(),
        ("POST", "/automate/playbooks/*/execute"): _automate(query="resource_type resource_id", body="resource_type resource_id"),
    },
)
