"""E-mail by SMTP: text and HTML, one message to one recipient, TLS verified."""

from __future__ import annotations

import hashlib
import smtplib
import ssl
import unicodedata
from datetime import UTC, datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from ..domain import leases
from ..domain.checkups import Check, ok, red
from ..domain.dry_runs import DryRun
from ..domain.results import Answer, Result
from .base import CONNECT, LONGEST_CODE, READ, Entry, one_line
from .letters import Letter, letter
from .templating import OURS, Templates, marked

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..domain.notifications import Delivery, Notification

SUBJECT = 150


class Config(BaseModel):
    """The relay that our mail goes through."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str
    port: int = 587
    sender: str
    user: str = ""
    password: SecretStr | None = None
    security: Literal["starttls", "tls", "none"] = "starttls"
    ca_file: Path | None = None
    timeout: float = Field(default=CONNECT + READ, gt=0, le=30)


class Email:
    """`ports.Channel`. No mail server can be asked; but a second copy has the same Message-ID, by which stores fold it."""

    dedupes = False
    marks_copies = True

    def __init__(self, config: Config, *, now: Callable[[], datetime] = lambda: datetime.now(UTC), templates: Templates = OURS) -> None:
        self._config, self._now, self._templates = config, now, templates

    def render(self, delivery: Delivery, delivery_id: str) -> EmailMessage:
        """The whole message. Its id is derived from the delivery's, so that a store may recognise a second copy.

        All mails about a threat name the same root, which none of them is, and bear the same subject, without which some
        readers do not thread: it need not be known which of them was the first. Those of a dry run are a thread of their own.
        """
        return self._message(delivery, delivery_id, letter(delivery.notification, self._templates))

    def _message(self, delivery: Delivery, delivery_id: str, bodies: Letter) -> EmailMessage:
        note, to = delivery.notification, delivery.receiver.address
        message = EmailMessage(policy=SMTP if to.isascii() else SMTPUTF8)
        message["From"] = self._config.sender
        message["To"] = to
        message["Subject"] = one_line(f"[Active Remediation] {_matter(note)}", SUBJECT)
        message["Date"] = format_datetime(self._now())
        message["Message-ID"] = self._id(delivery_id)
        if note.threat:
            root = self._id(f"{note.customer}/{note.threat.id}{'/dry run' if note.dry_run is DryRun.YES else ''}")
            message["In-Reply-To"] = message["References"] = root
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(bodies.text)
        if bodies.html:
            message.add_alternative(bodies.html, subtype="html")
        return message

    def _id(self, name: str) -> str:
        domain = self._config.sender.rpartition("@")[2].rstrip(">")
        return f"<{hashlib.sha256(name.encode()).hexdigest()[:40]}@{domain}>"

    def send(self, delivery: Delivery, delivery_id: str, *, thread: str = "") -> Result:  # noqa: ARG002 - the threat's id makes the thread
        """One connection, one message, one recipient."""
        if not is_one_address(delivery.receiver.address):
            return Result(answer=Answer.PERMANENT, code="not one mail address")
        bodies = letter(delivery.notification, self._templates)
        message = self._message(delivery, delivery_id, bodies)
        try:
            server = self.connected()
        except smtplib.SMTPAuthenticationError as error:
            return Result(answer=Answer.PERMANENT, code=f"auth {error.smtp_code}")
        except (smtplib.SMTPException, OSError) as error:
            return _before_data(error)
        try:
            result = _submit(server, message, self._config.sender, delivery.receiver.address)
        finally:
            _leave(server)
        return marked(self._without_password(result), has_failed=bodies.has_failed)

    def _without_password(self, result: Result) -> Result:
        """What the relay says is shown; it has seen our password."""
        password = self._config.password.get_secret_value() if self._config.password else ""
        if not password or password not in result.code:
            return result
        return result.model_copy(update={"code": result.code.replace(password, "(password)")})

    def reconcile(self, delivery: Delivery, delivery_id: str, *, thread: str = "") -> Result | None:  # noqa: ARG002
        """No mail server can tell."""
        return None

    def connected(self) -> smtplib.SMTP:
        """A session with the relay, secured and signed in. Raises what smtplib and the network do."""
        config = self._config
        tls = ssl.create_default_context(cafile=str(config.ca_file) if config.ca_file else None)
        if config.security == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(config.host, config.port, timeout=config.timeout, context=tls)
        else:
            server = smtplib.SMTP(config.host, config.port, timeout=config.timeout)
        try:
            if config.security == "starttls":
                server.starttls(context=tls)
            if config.user and config.password:
                server.login(config.user, config.password.get_secret_value())
        except BaseException:
            server.close()
            raise
        return server


def probe(config: Config) -> Check:
    """Connect, TLS, AUTH, NOOP: no mail is begun."""
    try:
        server = Email(config).connected()
    except smtplib.SMTPAuthenticationError as error:
        return red("email", f"the relay refuses the user: {error.smtp_code}", "check AR_SMTP_USER and AR_SMTP_PASSWORD")
    except (smtplib.SMTPException, OSError) as error:
        return red("email", f"no session with {config.host}:{config.port} ({type(error).__name__})", "check AR_SMTP_HOST, _PORT, _SECURITY")
    try:
        code, _ = server.noop()
    except (smtplib.SMTPException, OSError) as error:
        return red("email", f"NOOP: no answer ({type(error).__name__})")
    finally:
        _leave(server)
    how = "without TLS" if config.security == "none" else config.security
    who = f"as {one_line(config.user, 80)}" if config.user and config.password else "without a user"
    if code >= 400:  # noqa: PLR2004 - SMTP's refusals
        return red("email", f"NOOP: {code}")
    return ok("email", f"{config.host}:{config.port} {how}, {who}")


def is_one_address(text: str) -> bool:
    """Whether `text` is exactly one address with a domain; `a@x, b@y` would silently become two recipients."""
    # The library refuses the letters that SMTPUTF8 allows: its grammar is asked about the rest.
    plain = "".join("x" if not char.isascii() and unicodedata.category(char)[0] in "LMN" else char for char in text)
    try:
        return plain.isascii() and Address(addr_spec=plain).addr_spec == plain and bool(plain.rpartition("@")[2])
    except (ValueError, IndexError, MessageError):  # which of them depends on the Python
        return False


def _matter(note: Notification) -> str:
    threat = note.threat
    return f"{note.mark}{threat.severity.upper()} threat {threat.id}: {threat.classification}" if threat else note.headline


def _submit(server: smtplib.SMTP, message: EmailMessage, sender: str, recipient: str) -> Result:
    """The envelope step by step, because only an answer lost after the data leaves a doubt."""
    try:
        server.ehlo_or_helo_if_needed()
        if not recipient.isascii() and not server.has_extn("smtputf8"):
            return Result(answer=Answer.PERMANENT, code="the mail server takes ASCII addresses only (no SMTPUTF8)")
        options = () if recipient.isascii() else ("SMTPUTF8", "BODY=8BITMIME")
        for code, answer in (server.mail(sender, options), server.rcpt(recipient)):
            if code >= 400:  # noqa: PLR2004 - SMTP's refusals
                return _refused(code, answer)
    except (smtplib.SMTPException, OSError) as error:
        return _before_data(error)
    if leases.is_over():
        return Result(answer=Answer.RETRY, code=leases.LATE)
    try:
        code, answer = server.data(message.as_bytes())
    except smtplib.SMTPDataError as error:
        return _refused(error.smtp_code, error.smtp_error)
    except (smtplib.SMTPException, OSError) as error:
        return Result(answer=Answer.UNKNOWN, code=f"answer lost after the data ({type(error).__name__})")
    return _refused(code, answer) if code >= 400 else Result(answer=Answer.ACCEPTED, reference=str(message["Message-ID"]))  # noqa: PLR2004


def _refused(code: int, answer: bytes | str) -> Result:
    said = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
    kind = Answer.RETRY if code < 500 else Answer.PERMANENT  # noqa: PLR2004 - 4xx may pass, 5xx is for good
    return Result(answer=kind, code=one_line(f"smtp {code} {said}", LONGEST_CODE))


def _before_data(error: Exception) -> Result:
    """Nothing was handed over yet: surely not sent."""
    code = getattr(error, "smtp_code", 0)
    if isinstance(code, int) and code >= 500:  # noqa: PLR2004
        return Result(answer=Answer.PERMANENT, code=f"smtp {code}")
    return Result(answer=Answer.RETRY, code=type(error).__name__)


def _leave(server: smtplib.SMTP) -> None:
    try:
        server.quit()
    except (smtplib.SMTPException, OSError):
        server.close()


ENTRY = Entry(Config, Email, probe, is_templated=True)
