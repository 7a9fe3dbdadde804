"""A pretend mail server: SMTP with STARTTLS and AUTH, one mailbox per recipient."""

from __future__ import annotations

import asyncio
import email
import email.policy
import socket
import ssl
from collections.abc import Awaitable, Mapping
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from ..faults import Fault, FaultPlan
from ..inbox import Inbox, Place
from ..journal import Journal

VENDOR = "mail"


class _Controller(Controller):
    """One that has its port before it listens: it knocks there to see that it is open, so 0 will not do."""

    def __init__(self, handler: MailInbox, port: int, **more: Any) -> None:
        self._bound: socket.socket | None = None
        if not port:
            self._bound = socket.socket()
            self._bound.bind(("127.0.0.1", 0))
            port = int(self._bound.getsockname()[1])
        super().__init__(handler, hostname="127.0.0.1", port=port, **more)

    def _create_server(self) -> Awaitable[asyncio.AbstractServer]:
        bound, self._bound = self._bound, None
        if bound is None:
            return super()._create_server()
        return self.loop.create_server(self._factory_invoker, sock=bound)

    def forget(self) -> None:
        """Give the port back, if it never listened."""
        if self._bound is not None:
            self._bound.close()


class MailInbox:
    """Takes mail on a loopback port. `refusals` maps a recipient to the answer it is refused with, such as `550 no`.

    With `smtputf8` it takes addresses beyond ASCII.
    """

    def __init__(  # noqa: PLR0913 - each is a knob of the world
        self,
        journal: Journal,
        faults: FaultPlan,
        *,
        tls: ssl.SSLContext,
        user: str,
        password: str,
        port: int = 0,
        refusals: Mapping[str, str] | None = None,
        smtputf8: bool = False,
    ) -> None:
        self.refusals: dict[str, str] = dict(refusals or {})
        self._journal, self._faults = journal, faults
        self._user, self._password = user.encode(), password.encode()
        self._controller = _Controller(
            self,
            port,
            tls_context=tls,
            require_starttls=True,
            authenticator=self._authenticated,
            auth_required=True,
            enable_SMTPUTF8=smtputf8,
        )
        self.port = self._controller.port

    def start(self) -> None:
        self._controller.start()

    def stop(self) -> None:
        """Stop listening; stopping twice is stopping."""
        self._controller.forget()
        if self._controller.server is not None:
            self._controller.stop(no_assert=True)
            self._controller.server = None

    def _authenticated(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        del server, session, envelope, mechanism
        known = isinstance(data, LoginPassword) and (data.login, data.password) == (self._user, self._password)
        return AuthResult(success=known, handled=False)

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]) -> str:
        del server, session, options
        if address in self.refusals:
            return self.refusals[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """A fault on method DATA strikes after the final dot, before or after the mail is taken."""
        del session
        fault = self._faults.draw(vendor=VENDOR, tenant="", method="DATA", path=",".join(envelope.rcpt_tos))
        if fault and fault.action == "reply":
            return f"{fault.status} {fault.body or 'not now'}"
        if fault and fault.action in {"delay", "reset_before", "hang_before"}:
            await self._spoil(server, fault)
        if fault is None or fault.action not in {"reset_before", "hang_before"}:
            self._keep(envelope)
        if fault and fault.action in {"reset_after", "hang_after"}:
            await self._spoil(server, fault)
        return "250 taken"

    @staticmethod
    async def _spoil(server: SMTP, fault: Fault) -> None:
        """Wait as long as the fault says and, unless it is a mere delay, end the connection without a word."""
        await asyncio.sleep(fault.seconds)
        if fault.action != "delay" and isinstance(server.transport, asyncio.WriteTransport):
            server.transport.abort()

    def _keep(self, envelope: Envelope) -> None:
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        message = email.message_from_bytes(content, policy=email.policy.default)
        assert isinstance(message, EmailMessage)  # noqa: S101 - what the default policy makes
        text = message.get_body(("plain",))
        html = message.get_body(("html",))
        for recipient in envelope.rcpt_tos:
            self._journal.append(
                "message",
                vendor=VENDOR,
                tenant="",
                channel=recipient,
                id=str(message["Message-ID"]),
                subject=str(message["Subject"]).strip(),  # a fold before the first word is not part of it
                body={
                    "headers": dict(message.items()),
                    "text": text.get_content() if text else "",
                    "html": html.get_content() if html else "",
                },
            )


def _servers(place: Place, **settings: Any) -> dict[str, Any]:
    return {"mail": MailInbox(place.journal, place.faults, tls=place.tls, port=place.ports.get("mail", 0), **settings)}


INBOX = Inbox(_servers, lambda servers: {"mail": f"127.0.0.1:{servers['mail'].port}"}, {"user": "ar", "password": "simulated"})
