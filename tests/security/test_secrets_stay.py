"""A whole run among gossips: every server repeats what it was told, and nothing of it is kept.

The servers answer each request with an error that quotes it: path, headers, body. So does the mail
server with the login. Then everything that warden wrote or says is searched for the secrets.
"""

import base64
import contextlib
import json
import shutil
import socket
import socketserver
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, quote_plus

from support.installation import Installation, eventually, installation, recent, row

from warden.simulator.wire import Answering, LoopbackServer, Reply, Request

__all__ = ["installation"]

SHIPPED = Path(__file__).parents[2] / "rules" / "feeds.yaml"
KEY = "whsec_" + base64.b64encode(b"a key for hooks 20260101").decode()
OLD_KEY = "whsec_" + base64.b64encode(b"an older key for hooks 2").decode()
ACCESS, REFRESH = "access-t0ken-9911ab", "refresh-t0ken-7717cd"
HOOK, PULSE = "hook-t0ken/B0C3-7f3a9c5d", "pulse-t0ken-2b8d11ee"
SECRETS = {
    "acled_password": "Pass w0rd&acled/9137",
    "smtp_password": "p4ss+smtp/8842%x",
    "hook_key": KEY,
    "hook_old_key": OLD_KEY,
}
NEEDLES = (*SECRETS.values(), ACCESS, REFRESH, HOOK, PULSE, KEY.removeprefix("whsec_"))


def forms(secret: str) -> set[bytes]:
    """How a secret may look in a file."""
    encoded = base64.b64encode(secret.encode()).decode()
    login = base64.b64encode(f"\0desk\0{secret}".encode()).decode()
    shapes = {secret, quote(secret), quote_plus(secret), json.dumps(secret)[1:-1], encoded, login}
    return {shape.encode() for shape in shapes}


def found_in(content: bytes | str) -> list[str]:
    data = content.encode() if isinstance(content, str) else content
    return [secret for secret in NEEDLES if any(form in data for form in forms(secret))]


class Gossip(LoopbackServer):
    """A feed, a hook and a watch that quote every request in their refusals."""

    def __init__(self) -> None:
        super().__init__(Quoting)
        self.mood = "refused"

    def answer(self, request: Request) -> Reply:
        headers = "; ".join(f"{name}: {value}" for name, value in request.headers.items())
        quoted = f"Cannot {request.method} {request.path} [{headers}] {request.body.decode()}"
        if self.mood == "granted" and request.path == "/oauth/token":
            token = {"access_token": ACCESS, "refresh_token": REFRESH, "expires_in": 86400}
            return Reply(200, json.dumps(token).encode())
        if request.path.startswith(("/oauth", "/api")):
            said = json.dumps(
                {"success": False, "status": 500, "messages": [{"message": f"{quoted}\n{REFRESH}"}]}
            )
            return Reply(400 if "oauth" in request.path else 200, said.encode())
        return Reply(404 if self.mood == "refused" else 500, quoted.encode(), {}, "text/plain")


class Quoting(Answering):
    def do_GET(self) -> None:  # noqa: N802  the base class's name
        request = Request(self.command, self.path, {}, dict(self.headers), self.read_body())
        self.server.requests.append(request)
        self.send(self.server.answer(request))

    do_POST = do_GET  # noqa: N815


class Login(socketserver.StreamRequestHandler):
    """A mail server that takes any login and then quotes it at every recipient."""

    def handle(self) -> None:
        heard: list[str] = []
        self.say("220 gossip")
        while line := self.rfile.readline().decode(errors="replace").strip():
            word = line[:4].upper()
            if word == "EHLO":
                self.say("250-gossip\r\n250 AUTH PLAIN LOGIN")
            elif word == "AUTH":
                heard.append(line)
                self.server.logins.append(line)
                self.say("235 ok")
            elif word == "RCPT":
                told = base64.b64decode(heard[0].split()[-1]).decode() if heard else "nobody"
                self.say(f"450 {told!r} said {'; '.join(heard)}")
            else:
                self.say("221 bye" if word == "QUIT" else "250 ok")

    def say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


@contextlib.contextmanager
def mail_server() -> Iterator[socketserver.ThreadingTCPServer]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Login) as server:
        server.daemon_threads = True
        server.logins = []
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def settings(installation: Installation, gossip: Gossip, smtp_port: int, console: int) -> None:
    root = installation.root
    (root / "secrets").mkdir()
    urls = {"hook_url": f"{gossip.url}/{HOOK}", "pulse": f"{gossip.url}/ping/{PULSE}?key={PULSE}"}
    for name, secret in {**SECRETS, **urls}.items():
        (root / "secrets" / name).write_text(secret + "\n")
    shutil.copy(SHIPPED, root / "rules")
    (root / "rules" / "routes.yaml").write_text(
        "receivers:\n- name: desk\n  email: [{to: [desk@example.org]}]\n"
        "  webhook:\n  - {url: {secret: hook_url}, allow_private: true,"
        " secret: [{secret: hook_key}, {secret: hook_old_key}]}\n"
        "- name: archive\n  file: [{path: out}]\n"
        "route:\n  receiver: desk\n  group_wait: 0s\n  routes:\n"
        "  - {receiver: archive, continue: true}\n  - {receiver: desk}\n"
    )
    text = (root / "warden.yaml").read_text()
    lines = [line for line in text.splitlines() if not line.startswith("smtp:")]
    feed = "name: acled, kind: acled, username: desk, every: 1m, countries: [MLI]"
    server = f"host: 127.0.0.1, port: {smtp_port}"
    lines += [
        f"- {{{feed}, base_url: '{gossip.url}', password: {{secret: acled_password}}}}",
        f"smtp: {{{server}, username: desk, password: {{secret: smtp_password}}}}",
        "secrets_dir: secrets",
        "heartbeat: {url: {secret: pulse}, every: 1s}",
        f"console: {{listen: '127.0.0.1:{console}'}}",
        "log_level: DEBUG",
    ]
    (root / "warden.yaml").write_text("\n".join(lines) + "\n")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


LOOKS = (
    ("status",), ("sources",), ("deliveries",), ("alerts", "--all"), ("explain", "MLI2"),
    ("check",), ("routes", "show"), ("silence", "list"), ("release", "--list"),
)  # fmt: skip


def looked_at(installation: Installation) -> dict[str, str]:
    """What every command that looks says, for people and for scripts."""
    said = {}
    for command in LOOKS:
        for words in (command, (*command, "--json")):
            done = installation.warden(*words)
            said[" ".join(words)] = done.stdout + done.stderr
    return said


def written(root: Path) -> dict[str, bytes]:
    """Every file that warden wrote: database, log of the database, backups, log, payloads."""
    own = ("secrets", "mails")
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and path.relative_to(root).parts[0] not in own
    }


def test_no_secret_is_in_a_log_an_error_a_file_a_page_or_an_argument(installation):
    console = free_port()
    with Gossip() as gossip, mail_server() as mail:
        settings(installation, gossip, mail.server_address[1], console)
        installation.drop("old.csv", [row(1, recent(60))])
        said = {"once": installation.warden("run", "--once", expect=3)}  # the password is refused
        installation.drop("new.csv", [row(2, recent())])
        gossip.mood = "granted"
        said["again"] = installation.warden("run", "--once", expect=3)  # the token is quoted
        said["retry"] = installation.warden("retry", "--all", expect=3)
        installation.drop("newer.csv", [row(3, recent(2))])
        with installation.daemon() as daemon:
            eventually(lambda: "heartbeat" in daemon.said() and PULSE in str(gossip.requests))
            eventually(lambda: "delivery to webhook" in daemon.said())
            metrics = f"http://127.0.0.1:{console}/metrics"
            with urllib.request.urlopen(metrics) as page:
                pages = {"metrics": page.read()}
            arguments = Path(f"/proc/{daemon.pid}/cmdline").read_bytes()
            said["backup"] = installation.warden("backup", "copy.db")
            told = looked_at(installation)
            files = written(installation.root)
        files |= written(installation.root)
    heard = str(gossip.requests) + str(mail.logins)
    for secret in (quote_plus(SECRETS["acled_password"]), ACCESS, HOOK, PULSE):
        assert secret in heard  # or this test would search for what was never used
    assert mail.logins
    assert {"w.db", "w.db-wal", "copy.db", "log"} <= set(files)
    everything = {
        **{name: done.stdout + done.stderr for name, done in said.items()},
        **told,
        **files,
        **pages,
        "arguments": arguments,
    }
    leaks = {name: found for name, text in everything.items() if (found := found_in(text))}
    assert leaks == {}
    everything = b"".join(files.values()).decode(errors="replace")
    for quoted in ("Cannot POST", "Cannot GET", "[secret]", "AUTH"):
        assert quoted in everything  # what the servers said is told, but for the secrets
