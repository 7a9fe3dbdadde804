"""Machines: their tags, their one RBAC group, and what is shown of them instead of an operating system's family."""

from __future__ import annotations

from ..endpoints import Endpoint, hash_of
from .call import Answer, Call, Refusal, Row, stamp

PLATFORMS = {"Windows": "Windows11", "Mac": "macOS", "Linux": "Ubuntu"}
#: rbacGroupName is not among them.
FILTERABLE = (
    "computerDnsName",
    "id",
    "version",
    "deviceValue",
    "aadDeviceId",
    "machineTags",
    "lastSeen",
    "exposureLevel",
    "onboardingStatus",
    "lastIpAddress",
    "healthStatus",
    "osPlatform",
    "riskScore",
    "rbacGroupId",
)


def machine(endpoint: Endpoint, call: Call) -> Row:
    """`facts` of an endpoint replace any field."""
    groups = [call.tenant.groups[one].name for one in endpoint.groups if one in call.tenant.groups]
    return {
        "id": endpoint.agent_id,
        "mergedIntoMachineId": None,
        "isPotentialDuplication": False,
        "isExcluded": False,
        "computerDnsName": endpoint.hostname.lower(),
        "firstSeen": endpoint.first_seen,
        "lastSeen": endpoint.last_seen or stamp(call.now),
        "osPlatform": PLATFORMS[endpoint.platform] if endpoint.product_type_desc == "Workstation" else "WindowsServer2019",
        "osVersion": None,
        "osProcessor": "x64",
        "version": endpoint.os_version,
        "lastIpAddress": endpoint.local_ip,
        "lastExternalIpAddress": endpoint.external_ip,
        "healthStatus": "Active" if endpoint.online else "Inactive",
        "onboardingStatus": "Onboarded",
        "rbacGroupId": int(hash_of("md5", endpoint.groups[0])[:6], 16) if endpoint.groups else 0,
        "rbacGroupName": groups[0] if groups else None,
        "machineTags": [*groups, *endpoint.tags],
        "aadDeviceId": None,
        "riskScore": "None",
        "exposureLevel": "Low",
        **endpoint.facts.get("machine", {}),
    }


def listing(call: Call) -> Answer:
    return call.listed([machine(one, call) for one in call.tenant.settled(call.now)], FILTERABLE)


def details(call: Call) -> Answer:
    return Answer({"@odata.context": f"{call.request.host_url}/api/$metadata#Machines/$entity", **machine(call.endpoint(), call)})


def find_by_tag(call: Call) -> Answer:
    """Without `useStartsWithFilter` a tag is compared as a whole."""
    tag = call.request.first("tag")
    if not tag:
        raise Refusal(400, "MissingRequiredParameter", "tag is required")
    by_start = call.request.first("useStartsWithFilter", "false") == "true"
    folds = call.options.tag_match == "folded"
    wanted = tag.casefold() if folds else tag

    def fits(shown: str) -> bool:
        text = shown.casefold() if folds else shown
        return text.startswith(wanted) if by_start else text == wanted

    rows = [machine(one, call) for one in call.tenant.settled(call.now)]
    return call.listed([row for row in rows if any(fits(one) for one in row["machineTags"])], FILTERABLE)


def tag(call: Call) -> Answer:
    """POST {Value, Action: Add|Remove}."""
    body, endpoint = call.document("Value", "Action"), call.endpoint()
    if body["Action"] not in {"Add", "Remove"}:
        raise Refusal(400, "InvalidInput", "Action must be Add or Remove")
    tags = [one for one in endpoint.tags if one != body["Value"]]
    endpoint.tags = [*tags, body["Value"]] if body["Action"] == "Add" else tags
    return details(call)
