"""A real SMTP server for the tests: prints READY and then one JSON line for each mail it takes."""
import argparse, email, email.policy, json, ssl, sys, threading
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult

a = argparse.ArgumentParser()
a.add_argument("port", type=int)
a.add_argument("--cert")
a.add_argument("--key")
a.add_argument("--user")
a.add_argument("--password")
a.add_argument("--refuse", default="", help="addresses that are refused for good, with commas between")
a.add_argument("--later", default="", help="an address that is refused for now")
a.add_argument("--later-times", type=int, default=1, help="so often")
a.add_argument("--busy", type=int, default=0, help="answers that many mails with 451 first")
o = a.parse_args()


class Handler:
    def __init__(self):
        self.busy = o.busy
        self.later = o.later_times

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address in o.refuse.split(","):
            return "550 no such person"
        if address == o.later and self.later > 0:
            self.later -= 1
            return "450 mailbox busy, later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if self.busy > 0:
            self.busy -= 1
            return "451 busy, later"
        m = email.message_from_bytes(envelope.content, policy=email.policy.default)
        parts = {p.get_content_type(): p.get_content() for p in m.walk() if not p.is_multipart()}
        print(json.dumps({
            "from": envelope.mail_from, "to": envelope.rcpt_tos, "tls": session.ssl is not None, "authenticated": bool(session.authenticated),
            "subject": str(m["subject"]), "type": m.get_content_type(), "text": parts.get("text/plain", ""), "html": parts.get("text/html", ""),
            "messageId": str(m["message-id"]), "headers": [k.lower() for k in m.keys()], "raw": envelope.content.decode("latin-1"),
        }), flush=True)
        return "250 taken"


class Server(Controller):
    def factory(self):
        s = SMTP(self.handler, **self.SMTP_kwargs)
        # System.Net.Mail writes mechanisms in lower case; they are case-insensitive (RFC 4954), aiosmtpd compares exactly.
        s._auth_methods.update({k.lower(): v for k, v in s._auth_methods.items()})
        return s


def check(server, session, envelope, mechanism, data):
    # handled=False leaves the answer to aiosmtpd; with the default nobody would answer a wrong password.
    return AuthResult(success=data.login.decode() == o.user and data.password.decode() == o.password, handled=False)


kwargs = {}
if o.cert:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(o.cert, o.key)
    kwargs |= {"tls_context": context, "require_starttls": True}
if o.user:
    kwargs |= {"authenticator": check, "auth_required": True}
c = Server(Handler(), hostname="127.0.0.1", port=o.port, **kwargs)
c.start()
print("READY", flush=True)
sys.stdin.read()  # ends with the test process
c.stop()
