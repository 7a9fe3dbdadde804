"""What Microsoft documents of the routes that the twin has: "Supported Microsoft Defender for Endpoint APIs", page by page, and
the identity platform's pages of the client credentials flow.
"""

from __future__ import annotations

from ..documented import Documentation, documented_in

_login = documented_in("OAuth 2.0 client credentials flow: v2.0 with a scope, v1 with a resource")
_machines = documented_in("Machine API")
_actions = documented_in("Machine Action API")
_live = documented_in("Live response library; Run live response commands")
_files = documented_in("File API")
_indicators = documented_in("Indicator API")
_alerts = documented_in("Alert API")

_LIST = "$filter $top $skip"
_INDICATOR = (
    "indicatorValue indicatorType action title description severity expirationTime recommendedActions rbacGroupNames generateAlert "
    "application educateUrl"
)
_GRANT = "grant_type client_id client_secret"

DOCUMENTATION = Documentation(
    headers=frozenset({"authorization"}),
    scheme="Bearer ",
    routes={
        ("POST", "/*/oauth2/v2.0/token"): _login(body=f"{_GRANT} scope"),
        ("POST", "/*/oauth2/token"): _login(body=f"{_GRANT} resource"),
        ("GET", "/api/machines"): _machines(query=_LIST),
        ("GET", "/api/machines/findbytag"): _machines(query="tag useStartsWithFilter $top $skip"),
        ("GET", "/api/machines/*"): _machines(),
        ("POST", "/api/machines/*/tags"): _machines(body="Value Action"),
        ("POST", "/api/machines/*/isolate"): _actions(body="Comment IsolationType ExternalId"),
        ("POST", "/api/machines/*/unisolate"): _actions(body="Comment ExternalId"),
        ("POST", "/api/machines/*/StopAndQuarantineFile"): _actions(body="Comment Sha1 ExternalId"),
        ("POST", "/api/machines/*/runliveresponse"): _live(
            body="Commands Commands.type Commands.params Commands.params.key Commands.params.value Comment ExternalId"
        ),
        ("GET", "/api/machineactions"): _actions(query=_LIST),
        ("GET", "/api/machineactions/*"): _actions(),
        ("POST", "/api/machineactions/*/cancel"): _actions(body="Comment"),
        ("GET", "/api/machineactions/*/GetLiveResponseResultDownloadLink(index=*)"): _live(),
        ("GET", "/api/libraryfiles"): _live(query=_LIST),
        ("POST", "/api/libraryfiles"): _live(),
        ("GET", "/api/files/*"): _files(),
        ("GET", "/api/indicators"): _indicators(query=_LIST),
        ("POST", "/api/indicators"): _indicators(body=_INDICATOR),
        ("POST", "/api/indicators/import"): _indicators(
            body=" ".join(["Indicators", *(f"Indicators.{name}" for name in _INDICATOR.split())])
        ),
        ("DELETE", "/api/indicators/*"): _indicators(),
        ("GET", "/api/alerts"): _alerts(query=f"{_LIST} $expand"),
        ("GET", "/api/alerts/*"): _alerts(),
        ("PATCH", "/api/alerts/*"): _alerts(body="status assignedTo classification determination comment"),
    },
)
