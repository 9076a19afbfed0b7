"""A machine of our own: Debian 12 booted by its systemd in a container without a network.

Standing in the flow: `test_container.py` installs warden in it by following systemd/README.md. The
tree is built once by mmdebstrap from this machine's own package sources and kept in the user's
cache folder; what a machine writes lies in memory and is gone with it.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

PACKAGES = (
    "systemd", "systemd-sysv", "dbus", "procps", "netbase", "iproute2", "python3", "python3-venv",
    "ca-certificates", "libnss-systemd", "postfix", "util-linux",
)  # fmt: skip
PROGRAMS = ("mmdebstrap", "systemd-nspawn", "nsenter")
BOOT_S = 60.0


def missing() -> str:
    """Why no machine can be made here; "" if it can."""
    if os.geteuid() != 0:
        return "only root can boot a container"
    absent = [name for name in PROGRAMS if shutil.which(name) is None]
    return f"not installed: {', '.join(absent)}" if absent else ""


def tree() -> Path:
    """The Debian 12 that machines boot from; built when it is not there yet."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    made = cache / "warden-tests" / "bookworm-1"
    if made.is_dir():
        return made
    made.parent.mkdir(parents=True, exist_ok=True)
    part = made.with_suffix(".part")
    subprocess.run(["rm", "-rf", "--one-file-system", str(part)], check=True)
    subprocess.run(
        ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={','.join(PACKAGES)}",
         "bookworm", str(part)],
        check=True, timeout=900, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    part.rename(made)
    return made


class Machine:
    """A booted container. Commands run in it as root unless told otherwise."""

    def __init__(self, folder: Path, *, shared: Path) -> None:
        self._log = (folder / "console.log").open("wb")
        self._nspawn = subprocess.Popen(
            ["systemd-nspawn", "--quiet", f"--directory={tree()}", "--volatile=overlay", "--boot",
             f"--machine=warden-test-{os.getpid()}", "--register=no", "--keep-unit",
             "--private-network", "--console=read-only", f"--bind-ro={shared}:/mnt"],
            stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log,
            env={**os.environ, "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"},
        )  # fmt: skip
        self._leader = self._wait_for_leader()
        self._wait_until_up()

    def _wait_for_leader(self) -> str:
        deadline = time.monotonic() + BOOT_S
        while time.monotonic() < deadline:
            found = subprocess.run(
                ["pgrep", "-P", str(self._nspawn.pid), "-x", "systemd"],
                capture_output=True, text=True, check=False,
            ).stdout.split()  # fmt: skip
            if found:
                return found[0]
            time.sleep(0.1)
        raise TimeoutError("the container has no systemd")

    def _wait_until_up(self) -> None:
        deadline = time.monotonic() + BOOT_S
        while time.monotonic() < deadline:
            state = self.run("systemctl is-system-running", check=False).stdout.strip()
            if state in ("running", "degraded"):
                return
            time.sleep(0.2)
        raise TimeoutError("the container did not come up")

    def run(
        self, script: str, *, user: str = "", check: bool = True, timeout_s: float = 300.0
    ) -> subprocess.CompletedProcess[str]:
        """Run a shell script; as another user where one is named."""
        command = ["bash", "-euc", script]
        if user:
            command = ["runuser", "-u", user, "--", *command]
        done = subprocess.run(
            ["nsenter", "-t", self._leader, "-a", "--", *command],
            capture_output=True, text=True, check=False, timeout=timeout_s,
            stdin=subprocess.DEVNULL, cwd="/", start_new_session=True,
            env={"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                 "HOME": "/root", "LANG": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"},
        )  # fmt: skip
        if check and done.returncode:
            raise AssertionError(f"{script}\n-> {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done

    def write(self, path: str, text: str) -> None:
        """Put a file there, owned by root."""
        subprocess.run(
            ["nsenter", "-t", self._leader, "-a", "--", "bash", "-c", f'cat > "{path}"'],
            input=text, text=True, check=True,
        )  # fmt: skip

    def show(self, unit: str, name: str) -> str:
        """One property of a unit."""
        return self.run(f"systemctl show --property={name} --value {unit}").stdout.strip()

    def stop(self) -> None:
        """Power off. SIGKILL would leave the container's own processes behind."""
        self._nspawn.send_signal(signal.SIGTERM)
        try:
            self._nspawn.wait(30)
        finally:
            self._log.close()


def eventually(what, *, within_s=60.0, every_s=0.25):
    """The first truthy answer of a callable; fails when none comes in time."""
    deadline = time.monotonic() + within_s
    while True:
        answer = what()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within_s:g} s: {what}")
        time.sleep(every_s)
