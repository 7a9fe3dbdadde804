"""The configuration: everything checked at the start, all problems at once, and no secret shown."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from ar_workers.automations import KNOBS
from ar_workers.bootstrap import build
from ar_workers.domain.endpoints import Vendor
from ar_workers.domain.errors import InvalidSettings
from ar_workers.domain.notifications import Receiver
from ar_workers.domain.policies import FileResponse, MediumIsolation, Mode, Policy
from ar_workers.settings import Automations, load_settings

EXAMPLES = Path(__file__).parents[1] / "examples" / "customers"
SECRETS = {
    "ACME_FALCON_URL": "http://127.0.0.1:1",
    "ACME_FALCON_CLIENT_ID": "id",
    "ACME_FALCON_CLIENT_SECRET": "canary-secret",
    "GLOBEX_FALCON_URL": "http://127.0.0.1:1",
    "GLOBEX_FALCON_CLIENT_ID": "id2",
    "GLOBEX_FALCON_CLIENT_SECRET": "canary-secret-2",
}
MINIMAL = """
[edr.crowdstrike]
client_id = "env:ACME_FALCON_CLIENT_ID"
client_secret = "env:ACME_FALCON_CLIENT_SECRET"
remediate_groups = ["Remediate"]
"""


def load(folder, **environ):
    return load_settings({"AR_CUSTOMERS": str(folder), **SECRETS, **environ})


def problems_of(folder, text, name="acme.toml", **environ):
    (folder / name).write_text(text)
    with pytest.raises(InvalidSettings) as raised:
        build(load(folder, **environ))
    return raised.value.problems


def test_the_examples_are_valid_and_complete():
    settings = load(EXAMPLES)
    assert set(settings.customers) == {"acme", "globex"}
    policy = settings.customers["acme"].policy
    assert policy.remediate_groups == {Vendor.CROWDSTRIKE: frozenset({"Remediate"})}
    assert policy.protected_endpoints == {"DC-01"}
    build(settings)


@pytest.mark.parametrize("written", ["ABCD1234", "env:ACME_CBC_ORG"])
def test_the_key_of_an_organisation_is_no_secret_in_spite_of_its_name(tmp_path, written):
    section = f'[edr.carbon_black_cloud]\nbase_url = "http://127.0.0.1:1"\norg_key = "{written}"\napi_id = "ABCD1234"\n'
    (tmp_path / "acme.toml").write_text(f'{section}api_secret_key = "env:ACME_CBC_SECRET"\nremediate_groups = ["Remediate"]\n')
    settings = load(tmp_path, ACME_CBC_ORG="ABCD1234", ACME_CBC_SECRET="canary-secret-3")
    assert settings.customers["acme"].edrs[Vendor.CARBON_BLACK_CLOUD]["org_key"] == "ABCD1234"
    build(settings)


def test_the_defaults_follow_the_seed_page(tmp_path):
    (tmp_path / "acme.toml").write_text(MINIMAL)
    policy = load(tmp_path).customers["acme"].policy
    assert (policy.medium_isolation, policy.file_response) == (MediumIsolation.ALWAYS, FileResponse.QUARANTINE_ELSE_DELETE)
    assert (policy.isolations_per_hour, policy.bans_per_day) == (25, 200)
    assert policy == Policy(customer="acme", remediate_groups=policy.remediate_groups)


@pytest.mark.parametrize(
    ("line", "mode", "is_said"), [("", Mode.LIVE, False), ('mode = "live"', Mode.LIVE, True), ('mode = "dry_run"', Mode.DRY_RUN, True)]
)
def test_a_file_without_a_mode_is_live_as_before_there_was_any(tmp_path, line, mode, is_said):
    (tmp_path / "acme.toml").write_text(line + MINIMAL)
    customer = load(tmp_path).customers["acme"]
    assert (customer.policy.mode, customer.says_mode) == (mode, is_said)


def test_a_mode_that_is_none_is_refused(tmp_path):
    (problem,) = problems_of(tmp_path, 'mode = "dry"' + MINIMAL)
    assert problem == "acme.toml: mode: Input should be 'live' or 'dry_run'"


ROUTED = """
[receivers.chat]
channel = "slack"
to = "C0123456"
token = "env:ACME_SLACK_TOKEN"

[receivers.mail]
channel = "email"
to = "soc@acme.example"

[[routes]]
kinds = ["remediation_summary"]
severities = ["high"]
to = ["chat"]
fallback = "mail"
continue = true
hours = {zone = "Europe/Berlin", days = ["mon"], from = "08:00", to = "18:00"}
quiet = {zone = "Europe/Berlin", from = "22:00", to = "06:00", bypass = ["high"]}
digest = {more_than = 5, within = "10m"}
"""
SLACK = {"ACME_SLACK_TOKEN": "xoxb-canary", "ACME_PD_KEY": "canary-key"}


def test_receivers_and_routes_are_read_from_the_customers_file(tmp_path):
    (tmp_path / "acme.toml").write_text(ROUTED)
    services = build(
        load(tmp_path, **SLACK, AR_SMTP_HOST="127.0.0.1", AR_SMTP_FROM="tre@ar.example", AR_SLACK_TOKEN="xoxb-t", AR_SLACK_CHANNEL="C1")
    )
    policy = services.policies["acme"]
    assert policy.receivers["chat"] == Receiver(name="chat", channel="slack", address="C0123456")
    (found,) = policy.routes
    assert (found.to, found.fallback, found.goes_on, found.digest.within) == (("chat",), "mail", True, timedelta(minutes=10))
    assert set(services.channels) == {("acme", "chat"), ("acme", "mail"), ("acme", ""), ("tre", "slack")}
    assert services.channels["acme", "chat"] is not services.channels["tre", "slack"]
    shown = repr(services) + repr(policy)
    assert "-canary" not in shown
    assert "canary-" not in shown


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (ROUTED.replace('"remediation_summary"', '"threat_published"'), "routes.0.kinds.0: Value error, threat_published goes to the TREs by the service, which cannot be changed here"),
        (ROUTED.replace('["chat"]', '["chta"]'), "routes.0.to.0: chta is none of the receivers"),
        (ROUTED.replace("fallback =", "fallbak ="), "routes.0.fallbak: is not known; did you mean fallback?"),
        (ROUTED.replace('to = "C0123456"', ""), "receivers.chat.to: must be the id of a Slack channel"),
        (ROUTED.replace("soc@acme.example", "soc"), "receivers.mail.to: must be one mail address"),
        (ROUTED.replace("env:ACME_SLACK_TOKEN", "xoxb-hunter2"), "receivers.chat.token: a secret does not belong in the file"),
        (ROUTED.replace("env:ACME_SLACK_TOKEN", "env:/etc/passwd"), "receivers.chat.token: env: is followed by the name of a variable"),
        (ROUTED.replace("env:ACME_SLACK_TOKEN", "env:MISSING_ONE"), "receivers.chat.token: the environment has no MISSING_ONE"),
        (ROUTED.replace("[receivers.mail]", '[receivers.mail]\nhost = "10.0.0.1"'), "receivers.mail.host: mail goes through the operator's relay"),
        (ROUTED.replace("[receivers.mail]", 'base_url = "https://evil.example/"\n[receivers.mail]'), "receivers.chat.base_url: is for the operator to set"),
        (ROUTED.replace("[receivers.mail]", "flavour = 1\n[receivers.mail]"), "receivers.chat.flavour: Extra inputs are not permitted"),
        (ROUTED.replace('"slack"', '"carrier pigeon"'), "receivers.chat.channel: Input should be"),
        (ROUTED + '[receivers.page]\nchannel = "pagerduty"\nrouting_key = "env:ACME_PD_KEY"\nca_file = "/etc/passwd"', "receivers.page.ca_file: is for the operator to set"),
        (ROUTED + '[receivers.page]\nchannel = "pagerduty"\nto = "x"\nrouting_key = "env:ACME_PD_KEY"', "receivers.page.to: a receiver of this kind has no address"),
    ],
)  # fmt: skip
def test_a_problem_of_a_receiver_or_route_names_file_key_and_fix(tmp_path, text, problem):
    (found,) = problems_of(tmp_path, text, **SLACK)
    assert found.startswith(f"acme.toml: {problem}")
    assert "hunter2" not in found
    assert "canary" not in found


def test_all_problems_of_receivers_and_routes_are_told_at_once(tmp_path):
    text = ROUTED.replace('["chat"]', '["chta"]').replace("soc@acme.example", "soc").replace("env:ACME_SLACK_TOKEN", "env:MISSING_ONE")
    assert len(problems_of(tmp_path, text, **SLACK)) == 3


def test_two_customers_never_share_a_receivers_credential(tmp_path):
    (tmp_path / "globex.toml").write_text(ROUTED)
    assert problems_of(tmp_path, ROUTED, **SLACK)[0].startswith("ACME_SLACK_TOKEN: is named by several customers (acme, globex)")


def test_no_customer_is_called_as_the_tres_are(tmp_path):
    assert "this name is kept for the TREs' own receivers" in problems_of(tmp_path, MINIMAL, name="tre.toml")[0]


def test_the_knobs_of_a_file_are_those_of_the_automations():
    fields = {name: frozenset(field.annotation.model_fields) for name, field in Automations.model_fields.items()}
    assert fields == KNOBS


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (MINIMAL + "[automations.remediation_requested]\nenabled = false", "automations.remediation_requested.enabled: this automation is managed by the service; nothing of it can be set"),
        (MINIMAL + "[automations.threat_published]\nisolate = false", "automations.threat_published.isolate: this automation is managed by the service; only medium_isolation can be set"),
        (MINIMAL + "[protect]\nendpoint = ['x']", "protect.endpoint: is not known; did you mean endpoints?"),
        (MINIMAL + "[edrs.x]", "edrs: is not known; did you mean edr?"),
        (MINIMAL + "[automations.threat_publishd]", "automations.threat_publishd: is not known; did you mean threat_published?"),
        (MINIMAL + '[automations.unsupported_os]\nemails = ["a@x.example, b@x.example"]', "automations.unsupported_os.emails.0: Value error, is not one mail address such as soc@acme.example"),
        (MINIMAL.replace("crowdstrike", "mcafee"), "edr.mcafee.[key]: Input should be"),
        (MINIMAL.replace('["Remediate"]', "[]"), "edr.crowdstrike.remediate_groups: Tuple should have at least 1 item"),
        (MINIMAL.replace("env:ACME_FALCON_CLIENT_SECRET", "hunter2"), "edr.crowdstrike.client_secret: a secret does not belong in the file"),
        (MINIMAL.replace("env:ACME_FALCON_CLIENT_SECRET", "env:/etc/passwd"), "edr.crowdstrike.client_secret: env: is followed by the name of a variable"),
        (MINIMAL.replace("env:ACME_FALCON_CLIENT_SECRET", "env:MISSING_ONE"), "edr.crowdstrike.client_secret: the environment has no MISSING_ONE"),
        (MINIMAL + 'base_url = "https://evil.example"', "edr.crowdstrike.base_url: Value error, must be https:// and one of"),
        (MINIMAL + "flavour = 1", "edr.crowdstrike.flavour: Extra inputs are not permitted"),
        ("not toml", "is not readable TOML"),
    ],
)  # fmt: skip
def test_a_problem_names_file_key_and_fix(tmp_path, text, problem):
    (found,) = problems_of(tmp_path, text)
    assert found.startswith(f"acme.toml: {problem}")
    assert "hunter2" not in found


def test_all_problems_of_all_files_are_told_at_once(tmp_path):
    (tmp_path / "globex.toml").write_text("[protect]\nendpoint = ['x']")
    found = problems_of(tmp_path, MINIMAL + "[protect]\nendpoint = ['x']", AR_SMTP_PORT="99999", AR_NONSENSE="1")
    assert [line.partition(":")[0] for line in found] == ["AR_NONSENSE", "AR_SMTP_PORT"]
    found = problems_of(tmp_path, MINIMAL + "[protect]\nendpoint = ['x']")
    assert [line.partition(":")[0] for line in found] == ["acme.toml", "globex.toml"]


def test_a_credential_belongs_to_one_customer(tmp_path):
    (tmp_path / "globex.toml").write_text(MINIMAL)
    found = problems_of(tmp_path, MINIMAL)
    assert found[0].startswith("ACME_FALCON_CLIENT_ID: is named by several customers (acme, globex)")


def test_a_file_is_named_for_its_customer(tmp_path):
    assert problems_of(tmp_path, MINIMAL, name="Acme Corp.toml")[0].startswith("Acme Corp.toml: the file's name is the customer's id")


def test_a_secret_may_stand_in_a_file_that_only_its_owner_reads(tmp_path):
    secret = tmp_path / "token"
    secret.write_text("xoxb-from-file\n")
    secret.chmod(0o600)
    settings = load(tmp_path, AR_SLACK_TOKEN_FILE=str(secret), AR_SLACK_CHANNEL="C1")
    assert settings.system.slack_token.get_secret_value() == "xoxb-from-file"
    assert "xoxb" not in repr(settings)


@pytest.mark.parametrize(
    ("mode", "text", "problem"),
    [
        (0o644, "x", "can be read or changed by others"),
        (0o420, "x", "can be read or changed"),
        (0o600, "", "is empty"),
        (None, "", "cannot be read"),
    ],
)
def test_a_bad_secret_file_is_named_and_not_shown(tmp_path, mode, text, problem):
    secret = tmp_path / "token"
    if mode:
        secret.write_text(text)
        secret.chmod(mode)
    with pytest.raises(InvalidSettings) as raised:
        load(tmp_path, AR_SLACK_TOKEN_FILE=str(secret))
    assert f"{secret} {problem}" in str(raised.value)


def test_a_variable_and_its_file_are_not_both_set(tmp_path):
    with pytest.raises(InvalidSettings, match="AR_SLACK_TOKEN is set too"):
        load(tmp_path, AR_SLACK_TOKEN="a", AR_SLACK_TOKEN_FILE="/nowhere")


def test_a_typo_in_a_variable_is_a_problem(tmp_path):
    with pytest.raises(InvalidSettings, match="AR_SLACK_TOKN: is not known; did you mean AR_SLACK_TOKEN?"):
        load(tmp_path, AR_SLACK_TOKN="x")


def test_mail_without_tls_is_for_loopback_only(tmp_path):
    with pytest.raises(InvalidSettings, match="AR_SMTP_SECURITY: none is for loopback hosts only"):
        load(tmp_path, AR_SMTP_HOST="mail.example", AR_SMTP_SECURITY="none")


def test_no_secret_is_shown():
    settings = load(EXAMPLES, AR_SLACK_TOKEN="canary-token", AR_SMTP_PASSWORD="canary-password")
    services = build(settings)
    assert "canary-" not in repr(settings) + str(settings) + repr(services) + settings.model_dump_json()


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ('endpoints = ["DC-01", "FIN-[0"]', "protect.endpoints.1: Value error, 'FIN-[0' has a [ that is not closed"),
        ('endpoints = ["CORP\\\\*"]', "protect.endpoints.0: Value error, "),
        ('roles = ["printer"]', "protect.roles.0: Input should be 'workstation', 'server' or 'domain_controller'"),
        ('tags = [""]', "protect.tags.0: String should have at least 1 character"),
        ('never_touch = ["ab12ab12ab12ab12ab12ab12ab*"]', "protect.never_touch.0: Value error, "),
        ('endpoints = ["10.0.0.7"]', "protect.endpoints.0: Value error, '10.0.0.7' is an IP address"),
        ('never_touch = ["10.0.0.7"]', "protect.never_touch.0: Value error, '10.0.0.7' is an IP address"),
        ('never_touch = ["HKLM"]', "protect.never_touch.0: Value error, 'HKLM' is no registry key; write one below a hive"),
        ('never_touch = [""]', "protect.never_touch.0: String should have at least 1 character"),
    ],
)
def test_a_protection_that_can_never_match_is_a_problem(tmp_path, entry, problem):
    assert any(problem in each for each in problems_of(tmp_path, f"{MINIMAL}[protect]\n{entry}"))


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ('tags = ["vip"]', "protect.tags: no EDR of this customer has tags; protect by endpoints, groups or roles"),
        (
            'roles = ["domain_controller"]',
            "protect.roles: no EDR of this customer tells which servers are domain controllers; write server",
        ),
    ],
)
def test_what_no_edr_of_the_customer_shows_can_never_match_either(tmp_path, entry, problem):
    section = '[edr.carbon_black_cloud]\nbase_url = "http://127.0.0.1:1"\norg_key = "ABCD1234"\napi_id = "ABCD1234"\n'
    section += 'api_secret_key = "env:ACME_CBC_SECRET"\nremediate_groups = ["Remediate"]\n'
    found = problems_of(tmp_path, f"{section}[protect]\n{entry}", ACME_CBC_SECRET="canary-secret-3")
    assert any(problem in each for each in found), found


def test_patterns_groups_tags_and_roles_are_read(tmp_path):
    entries = (
        'endpoints = ["FIN-*"]\ngroups = ["Domain Controllers"]\ntags = ["vip*"]\nroles = ["server"]\nnever_touch = ["*.acme.example"]'
    )
    (tmp_path / "acme.toml").write_text(f"{MINIMAL}[protect]\n{entries}")
    policy = load(tmp_path).customers["acme"].policy
    assert (policy.protected_endpoints, policy.protected_groups) == ({"FIN-*"}, {"Domain Controllers"})
    assert (policy.protected_tags, policy.protected_roles, policy.never_touch) == ({"vip*"}, {"server"}, {"*.acme.example"})


def test_a_protection_is_read_in_the_forms_that_people_write(tmp_path):
    entries = [r"C:\\Acme\\", "backup.exe", "updates.acme.example.", r"HKEY_LOCAL_MACHINE\\SOFTWARE\\Acme", "bücher.example"]
    listed = ", ".join(f'"{each}"' for each in entries)
    (tmp_path / "acme.toml").write_text(
        f'{MINIMAL}[protect]\nendpoints = ["CORP\\\\DC-01", "dc-02.acme.example"]\nnever_touch = [{listed}]'
    )
    policy = load(tmp_path).customers["acme"].policy
    assert (len(policy.never_touch), policy.protected_endpoints) == (5, {"CORP\\DC-01", "dc-02.acme.example"})


PORTAL = """
[redcanary]
base_url = "https://acme.my.redcanary.co"
api_key = "env:ACME_REDCANARY_KEY"
"""


def feeds_of(folder, text):
    (folder / "acme.toml").write_text(text)
    return set(build(load(folder, ACME_REDCANARY_KEY="canary-key")).feeds)


def test_only_what_says_so_is_polled(tmp_path):
    assert feeds_of(tmp_path, MINIMAL + PORTAL) == set()
    assert feeds_of(tmp_path, MINIMAL + "poll = true" + PORTAL) == {("acme", "crowdstrike")}
    assert feeds_of(tmp_path, MINIMAL + PORTAL + "poll = true") == {("acme", "redcanary")}


def test_the_overlap_is_the_customers_or_the_feeds_own(tmp_path):
    (tmp_path / "acme.toml").write_text(MINIMAL + "poll = true\npoll_overlap_minutes = 90" + PORTAL + "poll = true")
    settings = load(tmp_path, ACME_REDCANARY_KEY="canary-key")
    assert settings.customers["acme"].polled == {"crowdstrike": timedelta(minutes=90), "redcanary": None}
    assert "canary-" not in repr(settings) + settings.model_dump_json()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            PORTAL.replace("acme.my.redcanary.co", "acme.evil.example"),
            "redcanary.base_url: Value error, must be https://NAME.my.redcanary.co",
        ),
        (PORTAL.replace("env:ACME_REDCANARY_KEY", "hunter2"), "redcanary.api_key: a secret does not belong in the file"),
        (PORTAL + "flavour = 1", "redcanary.flavour: Extra inputs are not permitted"),
        (PORTAL + "poll = 'often'", "redcanary.poll: Input should be a valid boolean"),
        (PORTAL + "poll_overlap_minutes = 0", "redcanary.poll_overlap_minutes: Input should be greater than 0"),
    ],
)
def test_a_wrong_portal_is_a_problem(tmp_path, text, problem):
    assert any(problem in each for each in problems_of(tmp_path, MINIMAL + text, ACME_REDCANARY_KEY="canary-key"))


def test_an_edr_that_is_wrong_is_told_once_though_it_is_polled(tmp_path):
    assert len(problems_of(tmp_path, MINIMAL + "poll = true\nflavour = 1")) == 1


@pytest.mark.parametrize("url", ["http://:canary@redis", "redis+sentinel://:canary@a,b", "redis+cluster://:canary@a,b/1"])
def test_an_address_that_is_none_is_refused_without_its_password(tmp_path, url):
    (problem,) = problems_of(tmp_path, MINIMAL, AR_REDIS_URL=url)
    assert problem.startswith("AR_REDIS_URL: ")
    assert "canary" not in problem


OWN = """
[receivers.soc]
channel = "email"
to = "soc@acme.example"

[receivers.siem]
channel = "syslog"
to = "siem.acme.test:6514"

[automations.unsupported_os]
emails = ["it@it.acme.example"]

[protect]
own_domains = [".Corp.Acme.Example", "bücher.example"]
"""


def test_the_domains_that_a_file_names_are_the_customers_own(tmp_path):
    (tmp_path / "acme.toml").write_text(MINIMAL.replace("client_id", 'base_url = "https://api.crowdstrike.com"\nclient_id', 1) + OWN)
    policy = load(tmp_path).customers["acme"].policy
    assert policy.own_domains == {"corp.acme.example", "xn--bcher-kva.example"}
    assert policy.named_domains == {
        "acme.example": "receivers.soc",
        "siem.acme.test": "receivers.siem",
        "it.acme.example": "automations.unsupported_os.emails",
        "api.crowdstrike.com": "edr.crowdstrike.base_url",
    }


@pytest.mark.parametrize("entry", ["CORP", "https://acme.example/x", "kim@acme.example", "*.acme.example", "10.0.0.1", "acme..example"])
def test_an_own_domain_that_could_never_be_met_is_refused(tmp_path, entry):
    (problem,) = problems_of(tmp_path, MINIMAL + f'[protect]\nown_domains = ["{entry}"]\n')
    assert "acme.toml: protect.own_domains" in problem
    assert "acme.example" in problem
