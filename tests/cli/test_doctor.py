"""`arctl doctor`: the table, the JSON, and how it ends."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from ar_workers.bootstrap import ledger_at
from ar_workers.celery import celery_at
from ar_workers.channels import email, pagerduty, slack, webhook
from ar_workers.channels.egress import Egress
from ar_workers.cli import arctl
from ar_workers.cli.redis_server import free_port
from ar_workers.domain.checkups import Light
from ar_workers.domain.refusals import KeptRecord
from ar_workers.ledger.checkup import checkup, is_swept
from ar_workers.simulator import Fault, Simulation, World
from ar_workers.transport import POISON, set_aside
from tests.builders import a_threat_published
from tests.edr.rigs.crowdstrike import crowdstrike

FALCON = """
[edr.crowdstrike]
remediate_groups = [{groups}]
base_url = "{url}"
client_id = "env:{name}_ID"
client_secret = "env:{name}_SECRET"
"""


@pytest.fixture
def rig(real_redis, redis_url, monkeypatch, tmp_path):
    with crowdstrike() as rig:
        customers(tmp_path, rig.server.url, acme='"Remediate"')
        settings = {"AR_REDIS_URL": redis_url, "AR_CUSTOMERS": str(tmp_path), "AR_HOME": str(tmp_path)}
        for name in ("ACME", "GLOBEX"):
            settings |= {f"{name}_ID": "the-client", f"{name}_SECRET": "canary-secret"}
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        yield rig


def customers(folder, url, **groups):
    for name, wanted in groups.items():
        (folder / f"{name}.toml").write_text(FALCON.format(url=url, name=name.upper(), groups=wanted))


def doctor(*words, status=0):
    result = CliRunner().invoke(arctl, ["doctor", *words])
    assert result.exit_code == status, (result.output, result.exception)
    return result.output or str(result.exception)


def test_a_customer_that_is_well_ends_with_0_and_says_so_in_words(rig):
    output = doctor("--customer", "acme")
    for part in ("acme", "crowdstrike", "Host groups: read", "group Remediate", "2 endpoints", "0 red"):
        assert part in output


def test_the_json_has_every_check_with_its_customer_and_what_to_do(rig):
    document = json.loads(doctor("--customer", "acme", "--json"))
    assert document["counts"]["red"] == 0
    first = document["checks"][0]
    assert first == {"customer": "acme", "where": "crowdstrike", "name": "credentials", "light": "ok", "detail": "", "fix": ""}


def test_a_missing_group_ends_with_1_and_the_other_customer_is_looked_at_all_the_same(rig, tmp_path):
    customers(tmp_path, rig.server.url, acme='"Nobody"', globex='"Remediate"')
    checks = json.loads(doctor("--json", status=1))["checks"]
    states = {(check["customer"], check["name"]): check["light"] for check in checks}
    assert states["acme", "group Nobody"] == "red"
    assert states["globex", "group Remediate"] == "ok"


def test_what_has_not_answered_in_time_is_red_and_what_was_found_is_kept(rig):
    rig.simulation.faults.add(rig_hang())
    checks = json.loads(doctor("--customer", "acme", "--patience", "2", "--json", status=1))["checks"]
    assert [check["name"] for check in checks if check["where"] == "crowdstrike"] == ["credentials", "deadline"]


def rig_hang():
    return Fault(action="delay", path="/devices/*", seconds=3)


@pytest.mark.parametrize(
    ("line", "light", "said"),
    [
        ("", "warn", "{path} says no mode, and is live"),
        ('mode = "live"', "ok", "live"),
        ('mode = "dry_run"', "ok", "dry_run: nothing is asked of its EDRs until `arctl customers live acme`"),
    ],
)
def test_a_file_that_says_no_mode_is_warned_of_with_the_line_to_write(rig, tmp_path, line, light, said):
    path = tmp_path / "acme.toml"
    path.write_text(f"{line}\n{path.read_text()}")
    (check,) = (each for each in json.loads(doctor("--customer", "acme", "--json"))["checks"] if each["name"] == "mode")
    assert (check["light"], check["detail"]) == (light, said.format(path=path))
    assert ('mode = "live"' in check["fix"]) is (light == "warn")


def test_an_unknown_customer_is_refused(rig):
    assert "no customer initech: known are acme" in doctor("--customer", "initech", status=1)


def test_the_nearest_customer_is_named(rig):
    assert "no customer acmee: did you mean acme? known are acme" in doctor("--customer", "acmee", status=1)
    assert "no customer : known are acme" in doctor("--customer", "", status=1)


@pytest.mark.parametrize("columns", ["", "500"])
def test_a_name_that_looks_like_markup_is_shown_as_it_is(rig, tmp_path, monkeypatch, columns):
    if columns:
        monkeypatch.setenv("FORCE_COLOR", "1")
        monkeypatch.setenv("COLUMNS", columns)
    customers(tmp_path, rig.server.url, acme='"a[/red]b :skull: [x]"')
    assert "group a[/red]b :skull: [x]" in doctor("--customer", "acme", status=1)


def test_what_a_vendor_said_steers_no_terminal(rig):
    body = json.dumps({"errors": [{"code": 500, "message": ":skull: \x1b[31mred\u202e"}]})
    rig.simulation.faults.add(Fault(action="reply", status=500, body=body, path="/devices/*"))
    output = doctor("--customer", "acme", status=1)
    assert ":skull:" in output
    assert not {"\x1b", "\u202e"} & set(output)


def test_without_a_customer_redis_the_workers_and_the_channels_are_looked_at(rig):
    checks = json.loads(doctor("--json", status=1))["checks"]
    states = {check["name"]: check["light"] for check in checks if check["customer"] is None}
    assert states["redis"] == "ok"
    assert states["workers"] == "red"
    assert states["slack"] == "red"


def by_name(*words, status=1):
    return {check["name"]: check for check in json.loads(doctor(*words, "--json", status=status))["checks"]}


def test_an_event_of_a_customer_whose_file_was_taken_away_is_red_with_the_file_that_is_missing(rig, redis_url, tmp_path):
    ledger_at(redis_url).accept([a_threat_published(customer="globex")])
    found = by_name()["globex: configuration"]
    assert (found["light"], found["detail"]) == ("red", "it has no file, and 1 of its events and actions wait")
    assert f"{tmp_path}/globex.toml" in found["fix"]
    assert "globex: configuration" not in by_name("--customer", "acme", status=0)


def test_records_that_could_not_be_read_are_a_warning_that_says_what_to_do(rig, redis_url):
    record = KeptRecord(id="7", field="severity", reason="is odd", key="a" * 32, payload={})
    ledger_at(redis_url).refuse("acme", "crowdstrike", [record])
    for words, status in (((), 1), (("--customer", "acme"), 0)):
        found = by_name(*words, status=status)["acme: records of crowdstrike"]
        assert (found["light"], found["detail"].partition(" since")[0]) == ("warn", "1 could not be read and are kept")
        assert "arctl poll --refused --customer acme" in found["fix"]


def test_a_customer_is_looked_at_without_redis_too(rig, monkeypatch):
    monkeypatch.setenv("AR_REDIS_URL", f"redis://127.0.0.1:{free_port()}/0")
    assert by_name("--customer", "acme", status=0)["ledger"]["light"] == "warn"


def test_a_redis_that_is_away_is_red(rig):
    assert [check.light for check in checkup(f"redis://127.0.0.1:{free_port()}/0")] == [Light.RED]


def test_a_redis_that_keeps_and_never_evicts_is_well(real_redis, redis_url):
    assert {check.light for check in checkup(redis_url)} == {Light.OK}


@pytest.mark.parametrize(
    ("setting", "value", "name"), [("appendonly", "no", "redis appendonly"), ("maxmemory-policy", "allkeys-lru", "redis maxmemory-policy")]
)
def test_a_redis_that_forgets_is_red(real_redis, redis_url, setting, value, name):
    before = real_redis.config_get(setting)[setting]
    real_redis.config_set(setting, value)
    try:
        assert {check.name for check in checkup(redis_url) if check.light is Light.RED} == {name}
    finally:
        real_redis.config_set(setting, before)


def test_a_sweep_leaves_its_trace(real_redis, redis_url):
    real_redis.set("ar:tick:sweep", "1")
    assert is_swept(redis_url).light is Light.OK


def test_messages_that_nobody_could_read_are_a_warning_with_their_number(real_redis, redis_url):
    assert counted(redis_url).light is Light.OK
    real_redis.lpush(POISON, "{}", "{}")
    assert (counted(redis_url).light, counted(redis_url).detail) == (Light.WARN, "2 messages were set aside")
    assert counted("redis://127.0.0.1:1/0").light is Light.RED


def counted(broker_url):
    return set_aside(celery_at(broker_url).connection_for_read())


@pytest.fixture
def simulation():
    with Simulation(World.from_dict({"tenants": {}})) as simulation:
        yield simulation


def test_slack_is_asked_who_we_are_and_nothing_is_posted(simulation):
    config = {"channel": "C-TRE", "base_url": f"{simulation.inboxes['slack'].url}/api/"}
    assert slack.probe(slack.Config(token="xoxb-simulated", **config)).light is Light.OK
    wrong = slack.probe(slack.Config(token="xoxb-wrong", **config))
    assert (wrong.light, wrong.detail) == (Light.RED, "auth.test: invalid_auth")
    assert list(simulation.journal.messages()) == []


def test_the_mail_relay_is_signed_in_to_and_nothing_is_sent(simulation):
    config = {
        "host": "127.0.0.1",
        "port": simulation.inboxes["mail"].port,
        "sender": "ar@provider.example",
        "ca_file": simulation.ca_pem,
        "user": "ar",
    }
    assert email.probe(email.Config(password="simulated", **config)).light is Light.OK
    assert email.probe(email.Config(password="wrong", **config)).light is Light.RED
    assert list(simulation.journal.messages()) == []


def test_pagerduty_is_only_dialled_which_is_never_green(simulation):
    config = {"base_url": simulation.inboxes["pagerduty"].url, "ca_file": simulation.ca_pem}
    assert pagerduty.probe(pagerduty.Config(routing_key="x" * 32, **config)).light is Light.WARN
    assert pagerduty.probe(pagerduty.Config(routing_key="short", **config)).light is Light.RED
    assert pagerduty.probe(pagerduty.Config(routing_key="x" * 32, base_url=simulation.inboxes["pagerduty"].url)).light is Light.RED


def test_a_customers_webhook_is_dialled_only_where_it_may_be_posted_to(simulation):
    config = webhook.Config(
        url=f"{simulation.inboxes['webhook'].url}/canary", secrets=("whsec_c2ltdWxhdGVkLXNlY3JldC1vZi10aGUtd2ViaG9vaw==",)
    )
    port = simulation.inboxes["webhook"].port
    opened = Egress(allowed=("127.0.0.0/8",), ports=(port,), ca_file=simulation.ca_pem)
    assert webhook.probe(config, opened).light is Light.WARN
    closed = webhook.probe(config, Egress(ports=(port,)))
    assert closed.light is Light.RED
    assert "canary" not in repr(closed)


@pytest.mark.parametrize(
    ("settings", "channel", "light", "said"),
    [
        ({}, "C-TRE", Light.OK, "a member of C-TRE"),
        ({}, "C-GONE", Light.RED, "channel_not_found"),
        ({"others": ["C-OTHER"]}, "C-OTHER", Light.RED, "not in C-OTHER"),
        ({"others": ["C-OTHER"], "scopes": ["chat:write", "chat:write.public", "channels:read"]}, "C-OTHER", Light.OK, "public"),
        ({"archived": ["C-TRE"]}, "C-TRE", Light.RED, "archived"),
        ({"scopes": ["channels:read"]}, "C-TRE", Light.RED, "no scope chat:write"),
        ({"scopes": ["chat:write", "channels:history"]}, "C-TRE", Light.OK, "a member of C-TRE"),
        ({"scopes": ["chat:write", "channels:history"], "others": ["C-OTHER"]}, "C-OTHER", Light.RED, "not_in_channel"),
        ({"scopes": ["chat:write"]}, "C-TRE", Light.WARN, "cannot be looked at"),
    ],
)
def test_slack_is_looked_at_for_whether_the_channel_can_be_written_to_and_nobody_is_told(settings, channel, light, said):
    inbox = {"token": "xoxb-simulated", "channels": ["C-TRE"], **settings}
    with Simulation(World.from_dict({"inboxes": {"slack": inbox}})) as simulation:
        config = slack.Config(token="xoxb-simulated", channel=channel, base_url=f"{simulation.inboxes['slack'].url}/api/")
        found = slack.probe(config)
        posts = [each for each in simulation.journal.requests(vendor="slack") if "postMessage" in each["path"]]
    assert (found.light, posts) == (light, [])
    assert said in found.detail
    assert found.fix or light is Light.OK
