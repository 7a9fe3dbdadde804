"""Who is told by what: every receiver's channel, made from the environment and the customers' files."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import SecretStr, ValidationError

from .channels import CHANNELS, made
from .domain.checkups import Check, red
from .domain.hosts import is_loopback
from .domain.notifications import TRE, Receiver

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pydantic import BaseModel

    from .channels.templating import Templates
    from .ports import Channel
    from .settings import Settings, System

#: Who is told by the managed automations.
TRE_RECEIVERS = tuple(Receiver(name=name, channel=name, address=TRE) for name in ("slack", "pagerduty"))


class Configured(NamedTuple):
    """A channel and what was set of it."""

    channel: str
    config: BaseModel

    def make(self, templates: Templates) -> Channel:
        """The channel, ready to send in the operator's words."""
        return made(self.channel, self.config, templates)

    def probe(self) -> Check:
        """Whether it would work, without telling anybody anything."""
        return CHANNELS[self.channel].probe(self.config)


def configured(settings: Settings, problems: list[str]) -> dict[tuple[str, str], Configured]:
    """What is configured, by owner and receiver; a receiver without it makes its deliveries fail, visibly, and nothing else.

    A customer's mail goes through the operator's relay, under the receiver's name or, for addresses alone, under "".
    """
    operators = _operators(settings.system, problems)
    found = {(TRE, each.name): operators[each.channel] for each in TRE_RECEIVERS if each.channel in operators}
    for name, customer in settings.customers.items():
        if "email" in operators:
            found[name, ""] = operators["email"]
        for receiver in customer.policy.receivers.values():
            own = _customers(receiver, customer.receivers[receiver.name], f"{name}.toml: receivers.{receiver.name}", operators, problems)
            if own:
                found[name, receiver.name] = own
    return found


def receiver_checks(settings: Settings, customer: str | None) -> dict[tuple[str, str], Callable[[], Iterator[Check]]]:
    """A look at every receiver of the TREs and the customers, or of one customer. What should be there and is not is red."""
    wanted = configured(settings, [])
    found: dict[tuple[str, str], Callable[[], Iterator[Check]]]
    found = {key: partial(_looked, each.probe) for key, each in wanted.items() if key[1] and customer in {None, key[0]}}
    for receiver in TRE_RECEIVERS if customer is None else ():
        if (TRE, receiver.name) not in wanted:
            words = "is not configured: the TREs are not told by it"
            missing = red(receiver.channel, words, f"set the variables AR_{receiver.channel.upper()}_...")
            found[TRE, receiver.name] = partial(_looked, partial(_same, missing))
    for name, each in settings.customers.items():
        mails = each.policy.summary_emails + each.policy.unsupported_os_emails
        if mails and (name, "") not in wanted and customer in {None, name}:
            missing = red("email", "mail addresses are set, and there is no relay", "set the variables AR_SMTP_...")
            found[name, "email"] = partial(_looked, partial(_same, missing))
    return found


def _looked(look: Callable[[], Check]) -> Iterator[Check]:
    yield look()


def _same(check: Check) -> Check:
    return check


def _customers(
    receiver: Receiver, options: dict[str, Any], where: str, operators: dict[str, Configured], problems: list[str]
) -> Configured | None:
    if receiver.channel != "email":
        return _own(receiver, options, where, problems)
    problems += [f"{where}.{key}: mail goes through the operator's relay: nothing else can be set" for key in options]
    return operators.get("email")


def _own(receiver: Receiver, options: dict[str, Any], where: str, problems: list[str]) -> Configured | None:
    """A channel by a customer's own options. A path would read the worker's files, an address of choice its network."""
    config = CHANNELS[receiver.channel].config
    plain: dict[str, Any] = {}
    for key, value in options.items():
        kind = str(config.model_fields[key].annotation) if key in config.model_fields else ""
        if "Path" in kind or (key == "base_url" and not _is_pretend(value)):
            problems.append(f"{where}.{key}: is for the operator to set")
        elif "SecretStr" in kind and not all(isinstance(each, SecretStr) for each in (value if isinstance(value, list) else [value])):
            problems.append(f'{where}.{key}: a secret does not belong in the file; write "env:NAME" and set NAME in the environment')
        else:
            plain[key] = value if "SecretStr" in kind or not isinstance(value, SecretStr) else value.get_secret_value()
    if plain.keys() != options.keys():
        return None
    if receiver.channel == "slack" and "token" in plain:
        plain.setdefault("channel", receiver.address)
    return _checked(receiver.channel, plain, where, problems)


def _is_pretend(url: Any) -> bool:
    """Tests and the demo have pretend vendors on this machine."""
    return is_loopback(url.get_secret_value() if isinstance(url, SecretStr) else str(url))


def _operators(system: System, problems: list[str]) -> dict[str, Configured]:
    """What the environment sets: the TREs' own, and the relay for everybody's mail."""
    configured: dict[str, dict[str, Any] | None] = {
        "slack": _given(token=system.slack_token, channel=system.slack_channel, base_url=system.slack_url),
        "pagerduty": _given(routing_key=system.pagerduty_routing_key, base_url=system.pagerduty_url, ca_file=system.ca_file),
        "email": _given(
            host=system.smtp_host or None,
            port=system.smtp_port,
            sender=system.smtp_from,
            user=system.smtp_user,
            password=system.smtp_password,
            security=system.smtp_security,
            ca_file=system.ca_file,
        ),
    }
    made = {name: _checked(name, options, f"AR_{name.upper()}", problems) for name, options in configured.items() if options is not None}
    return {name: each for name, each in made.items() if each}


def _checked(channel: str, options: dict[str, Any], where: str, problems: list[str]) -> Configured | None:
    try:
        return Configured(channel, CHANNELS[channel].config(**options))
    except ValidationError as error:
        problems += [f"{where}.{'.'.join(map(str, each['loc'])) or 'options'}: {each['msg']}" for each in error.errors(include_input=False)]
        return None


def _given(**options: Any) -> dict[str, Any] | None:
    """The options, or None if the first one, which every configured channel has, is not set."""
    return options if next(iter(options.values())) else None
