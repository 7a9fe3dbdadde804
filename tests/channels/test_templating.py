"""Templates: the operator's before ours, checked before they count, and never the reason that nobody is told."""

from __future__ import annotations

import pytest

from ar_workers.channels import email, letters, made, pagerduty
from ar_workers.channels.samples import samples
from ar_workers.channels.templating import FAILED, FORMS, OURS, Templates, check_templates
from ar_workers.domain.notifications import Kind, remediation_summary
from ar_workers.domain.results import Answer
from tests.builders import NOON, a_delivery, a_notification, a_summary, a_threat

from .rigs import RIGS

BROKEN = "{{ nothing.of_this_kind }}"


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "templates"


def given(folder, **texts):
    folder.mkdir(exist_ok=True)
    for name, text in texts.items():
        (folder / f"{name.replace('__', '.')}.j2").write_text(text)
    return Templates(folder)


def a_note():
    return remediation_summary("acme", a_threat(), a_summary(), by="Kim", text="All clear.")


def test_the_samples_are_of_every_kind():
    assert {note.kind for note in samples()} == set(Kind)


@pytest.mark.parametrize("form", sorted(FORMS))
def test_our_own_templates_render_every_sample(form):
    for note in samples():
        assert OURS.render(note, form).strip() or not (note.facts or note.body or note.summary)


def test_no_folder_is_fine_and_ours_are_fine_as_an_operators(folder):
    assert check_templates(folder) == []
    folder.mkdir()
    for kind in ("default", "remediation_summary"):
        for form, environment in OURS._environments.items():
            (folder / f"{kind}.{form}.j2").write_text(environment.loader.get_source(environment, f"{kind}.{form}.j2")[0])
    assert check_templates(folder) == []


def test_every_problem_is_listed(folder):
    given(
        folder,
        default__mail__txt="{{ headlin }}",
        default__slack="a\n{% if %}",
        remediation_summary__mail__html="<p>{{ headline }}</p>",
        remediation_summary__teams="{{ ''.__class__.__mro__ }}",
        remediation_summary__mail="",
    )
    assert check_templates(folder) == [
        "templates/default.mail.txt.j2: 'headlin' is undefined (UndefinedError)",
        "templates/default.slack.j2: line 2: Expected an expression, got 'end of statement block' (TemplateSyntaxError)",
        "templates/remediation_summary.mail.html.j2: leaves out the severity and the classification and the threat (TemplateError)",
        "templates/remediation_summary.mail.j2: is never looked for: names are like default.slack.j2",
        "templates/remediation_summary.teams.j2: access to attribute '__class__' of 'str' object is unsafe. (SecurityError)",
    ]


def test_the_operators_words_stand_before_ours(folder):
    templates = given(folder, remediation_summary__mail__txt="Hello {{ customer }}!\n{{ essentials }}")
    assert letters.letter(a_note(), templates).text.startswith("Hello acme!")
    assert not letters.letter(a_notification(), templates).text.startswith("Hello")


def test_no_value_is_markup_whatever_the_operator_writes(folder):
    note = a_notification(facts=(("Endpoints", "<!channel> *x* <b>&"),))
    loop = "{% for label, value in facts %}{{ value }}{% endfor %}"
    templates = given(folder, default__slack=loop, default__mail__html=loop + "{% for _, v in essentials %}{{ v }}{% endfor %}")
    assert templates.render(note, "slack") == "&lt;!channel&gt; *\u2060x*\u2060 &lt;b&gt;&amp;"
    assert templates.render(note, "mail.html").startswith("&lt;!channel&gt; *x* &lt;b&gt;&amp;")


@pytest.mark.parametrize("name", ["email", "slack", "slack hook", "teams"])
def test_a_template_that_fails_costs_its_looks_and_is_told_in_the_evidence(simulation, folder, caplog, name):
    texts = dict.fromkeys((f"{kind}__{form.replace('.', '__')}" for kind in ("default", "remediation_summary") for form in FORMS), BROKEN)
    rig = RIGS[name](simulation)
    rig.channel._templates = given(folder, **texts)
    result = rig.channel.send(rig.delivery.model_copy(update={"notification": a_note()}), "acme:x:1")
    assert (result.answer, FAILED in result.code) == (Answer.ACCEPTED, True)
    shown = str(rig.messages()[0]["body"])
    for part in ("HIGH", "Ransomware", "https://acme.ar.example/threats/1042", "isolate FIN-LT-07", "All clear."):
        assert part in shown
    assert "the built-in plain text is sent" in caplog.text


@pytest.mark.parametrize("name", ["email", "slack", "slack hook", "teams"])
def test_a_template_that_does_not_fail_leaves_no_mark(simulation, name):
    rig = RIGS[name](simulation)
    result = rig.channel.send(rig.delivery.model_copy(update={"notification": a_note()}), "acme:x:1")
    assert (result.answer, FAILED in result.code) == (Answer.ACCEPTED, False)


def test_html_that_fails_costs_the_html_only(folder):
    templates = given(folder, remediation_summary__mail__html=BROKEN)
    channel = made("email", email.Config(host="127.0.0.1", sender="tre@ar.example"), templates)
    message = channel.render(a_delivery("email", "soc@acme.example").model_copy(update={"notification": a_note()}), "1")
    assert message.get_body(("html",)) is None
    assert "Verified: 2026-11-24 12:00:00 UTC" in message.get_body(("plain",)).get_content()


def test_what_takes_no_templates_is_made_all_the_same(folder):
    assert made("pagerduty", pagerduty.Config(routing_key="x"), given(folder)).render(a_notification())


def test_a_template_that_runs_away_is_stopped(folder, caplog):
    templates = given(folder, default__teams="{% for i in range(99999) %}{{ headline * 10 }}{% endfor %}", default__slack="{{ 1/0 }}")
    for form in ("teams", "slack"):
        assert templates.words(a_notification(), form, lambda _: "plain") == ("plain", True)


def test_rendering_is_deterministic():
    for form in FORMS:
        assert OURS.render(a_note(), form) == Templates().render(a_note(), form)


def test_mail_says_everything_in_text_alone_and_names_the_severity_in_words():
    found = letters.letter(a_note())
    for part in (
        "Severity: HIGH",
        "Kim",
        "All clear.",
        "COMPLETED (1)",
        "Falcon shows status contained",
        "its id order-1",
        "STILL ISOLATED",
    ):
        assert part in found.text
    assert '<html lang="en">' in found.html
    assert found.html.count("<h1") == 1
    assert "HIGH" in found.html
    assert NOON.strftime("%Y-%m-%d %H:%M:%S UTC") in found.html
