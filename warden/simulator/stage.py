"""The demo's stage: a folder with settings, rules, routes and secrets, and the three servers.

Standing in the flow: `warden.demo` sets it, lets the real programme play on it, and clears it.
"""

from __future__ import annotations

import base64
import shutil
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from warden.clock import Clock
from warden.errors import UsageError
from warden.simulator.acled_server import AcledServer
from warden.simulator.hook import SECRET_PREFIX, HookServer
from warden.simulator.mailbox import MailServer
from warden.simulator.world import World

MARKER = ".warden-demo"
ACLED_USER = "demo@example.org"
ACLED_PASSWORD = "only-simulated"  # noqa: S105 - the simulated account's
HOOK_SECRET = SECRET_PREFIX + base64.b64encode(b"simulated secret of 32 bytes ...").decode()
DESK, BUREAU = "desk@example.org", "bureau@example.org"

_SETTINGS = """\
# Made by `warden demo`. Every command works on it, for example
#   warden --config {here} alerts
# The simulated servers it names end with the demo, so nothing more can be polled or sent.
database: warden.db
rules: rules
secrets_dir: secrets
time_zone: Africa/Bamako
sources:
- name: acled
  kind: acled
  base_url: {acled}
  username: {user}
  password: {{secret: simulated_acled_password}}
  countries: [MLI, BFA, NER, CIV, GIN, SEN, MRT]
  since: 2012-01-01
  overlap_days: 2          # these two save time: the demo has a minute for six years;
  full_every_days: 1100    # monthly unless said otherwise
smtp:
  host: 127.0.0.1
  port: {smtp}
  security: none
  from: "Warden demo - SIMULATED DATA <warden@example.org>"
"""

_ROUTES = """\
# Who gets what in the demo: a desk in English, a bureau in French, and three computers: a partner's
# (warden's own format), an exchange of warnings (CAP) and a monitoring system (Alertmanager's).
receivers:
- name: desk
  language: en
  time_zone: Africa/Bamako
  email: [{{to: [{desk}]}}]
- name: bureau
  language: fr
  time_zone: Africa/Bamako
  email: [{{to: [{bureau}]}}]
- name: partner
  webhook:
  - {{url: "{hook}/warden", secret: {{secret: simulated_hook_secret}}, format: warden,
     allow_private: true}}   # the receiver is on this machine
- name: exchange
  webhook:
  - {{url: "{hook}/cap", secret: {{secret: simulated_hook_secret}}, format: cap,
     allow_private: true}}
- name: monitoring
  webhook:
  - {{url: "{hook}/alertmanager", secret: {{secret: simulated_hook_secret}},
     format: alertmanager, allow_private: true}}
route:
  receiver: desk
  group_by: [cycle]
  routes:
  - {{matchers: {{severity: critical}}, receiver: bureau, continue: true}}
  - {{receiver: partner, continue: true}}
  - {{matchers: {{severity: critical, theme: bamako}}, receiver: exchange, continue: true}}
  - {{matchers: {{theme: health}}, receiver: monitoring, continue: true}}
  - {{matchers: {{theme: bamako}}, receiver: monitoring, continue: true}}
  - {{matchers: {{severity: info}}, receiver: desk, digest: {{at: "07:00"}}}}   # what can wait
  - {{receiver: desk}}
"""


def clear(directory: Path) -> None:
    """Make `directory` an empty stage; what is not an earlier demo's is never touched."""
    if directory.is_symlink() or (directory.exists() and not directory.is_dir()):
        raise UsageError(f"{directory} is no folder; choose another with --directory")
    if directory.exists() and any(directory.iterdir()):
        if not (directory / MARKER).is_file():
            raise UsageError(
                f"{directory} holds something else than an earlier demo; choose another folder "
                "with --directory"
            )
        shutil.rmtree(directory)
    directory.mkdir(parents=True, exist_ok=True)
    (directory / MARKER).write_text("Made by `warden demo`, which may delete this folder.\n")


@dataclass(frozen=True)
class Paths:
    """Where everything lies."""

    root: Path

    @property
    def settings(self) -> Path:
        """The settings, for use with `--config`."""
        return self.root / "warden.yaml"

    @property
    def rules(self) -> Path:
        """The shipped rules, with the demo's own routes."""
        return self.root / "rules"

    @property
    def database(self) -> Path:
        """The database."""
        return self.root / "warden.db"

    @property
    def mails(self) -> Path:
        """A Maildir of every mail."""
        return self.root / "mails"

    @property
    def payloads(self) -> Path:
        """Every webhook payload."""
        return self.root / "payloads"

    @property
    def secrets(self) -> Path:
        """The simulated secrets."""
        return self.root / "secrets"


class Stage:
    """The folder and the servers; a context manager. `clear` the folder first."""

    def __init__(self, root: Path, world: World, clock: Clock, rules: Path) -> None:
        self.paths = Paths(root)
        self._rules = rules
        self.acled = AcledServer(world, clock=clock, username=ACLED_USER, password=ACLED_PASSWORD)
        self.mail = MailServer(self.paths.mails)
        self.hook = HookServer(HOOK_SECRET, clock=clock, folder=self.paths.payloads)
        self._running = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as starting:
            starting.enter_context(self.acled)
            starting.enter_context(self.mail)
            starting.enter_context(self.hook)
            self._write()
            self._running = starting.pop_all()
        return self

    def __exit__(self, *exc: object) -> None:
        self._running.close()

    def _write(self) -> None:
        paths = self.paths
        shutil.copytree(
            self._rules, paths.rules, ignore=shutil.ignore_patterns("routes.yaml", "local", "tests")
        )
        routes = _ROUTES.format(desk=DESK, bureau=BUREAU, hook=self.hook.url)
        (paths.rules / "routes.yaml").write_text(routes, encoding="utf-8")
        paths.secrets.mkdir(mode=0o700)
        (paths.secrets / "simulated_acled_password").write_text(ACLED_PASSWORD)
        (paths.secrets / "simulated_hook_secret").write_text(HOOK_SECRET)
        paths.settings.write_text(
            _SETTINGS.format(
                here=paths.settings, acled=self.acled.url, user=ACLED_USER, smtp=self.mail.port
            ),
            encoding="utf-8",
        )
