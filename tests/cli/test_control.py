"""The control socket: rows, refusals, files, and who asked."""

import os
import pwd
import shutil
import socket
import tempfile
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from warden.control import ControlServer, Request, call, user_name
from warden.errors import ConfigError, Fault, StoreError, WardenError


class Listener:
    """A server with a handler of the test's."""

    def __init__(self, path: Path, handle):
        self.requests: list[Request] = []

        def remember(request):
            self.requests.append(request)
            yield from handle(request)

        self.server = ControlServer(path, remember)

    def __enter__(self):
        self.server.start()
        return self

    def __exit__(self, *_):
        self.server.close()


def echo(request):
    yield {"command": request.command}
    for descriptor in request.files:
        with os.fdopen(os.dup(descriptor), "rb") as file:
            yield {"read": file.read().decode()}


def test_rows_come_back_in_order_and_the_kernel_says_who_asked(tmp_path):
    with Listener(tmp_path / "w.sock", echo) as listener:
        rows = list(call(tmp_path / "w.sock", "status", {"a": 1}))
    assert rows == [{"command": "status"}]
    assert listener.requests[0].who == pwd.getpwuid(os.getuid()).pw_name
    assert listener.requests[0].arguments == {"a": 1}


def test_instants_travel_in_the_form_that_scripts_read(tmp_path):
    noon = datetime(2026, 3, 2, 12, tzinfo=timezone(timedelta(hours=1)))

    def ask(request):
        yield {"at": noon, "day": noon.date(), "asked": request.arguments["at"]}

    with Listener(tmp_path / "w.sock", ask):
        (row,) = call(tmp_path / "w.sock", "status", {"at": noon})
    told = "2026-03-02T11:00:00.000000Z"
    assert row == {"at": told, "day": "2026-03-02", "asked": told}


def test_files_travel_as_descriptors(tmp_path):
    (tmp_path / "a.csv").write_text("one", encoding="utf-8")
    with Listener(tmp_path / "w.sock", echo), (tmp_path / "a.csv").open("rb") as file:
        rows = list(call(tmp_path / "w.sock", "ingest", {}, [file]))
    assert rows[1:] == [{"read": "one"}]


def test_a_socket_that_cannot_be_removed_keeps_nobody_from_stopping(tmp_path):
    path = tmp_path / "w.sock"
    with Listener(path, echo):
        path.unlink()
        path.mkdir()  # as little to be unlinked as what lies on a disk gone read-only
    assert path.is_dir()


def test_nobody_listening_is_not_an_error(tmp_path):
    assert call(tmp_path / "w.sock", "status", {}) is None
    socket_left_behind = socket.socket(socket.AF_UNIX)
    socket_left_behind.bind(str(tmp_path / "old.sock"))
    socket_left_behind.close()
    assert call(tmp_path / "old.sock", "status", {}) is None


def test_a_socket_left_behind_is_replaced(tmp_path):
    old = socket.socket(socket.AF_UNIX)
    old.bind(str(tmp_path / "w.sock"))
    old.close()
    with Listener(tmp_path / "w.sock", echo):
        assert list(call(tmp_path / "w.sock", "x", {})) == [{"command": "x"}]
    assert not (tmp_path / "w.sock").exists()


def test_what_is_no_socket_is_left_where_it_is(tmp_path):
    (tmp_path / "w.db").write_text("a database, say")
    server = ControlServer(tmp_path / "w.db", echo)
    with pytest.raises(StoreError, match="is no socket; name another place"):
        server.start()
    server.close()
    assert (tmp_path / "w.db").read_text() == "a database, say"


def test_only_owner_and_group_may_use_it(tmp_path):
    with Listener(tmp_path / "w.sock", echo):
        assert (tmp_path / "w.sock").stat().st_mode & 0o777 == 0o660


def test_a_refusal_arrives_with_its_faults_and_exit_status(tmp_path):
    def refuse(_request):
        raise ConfigError("2 faults", (Fault("a.yaml", 1, 2, "WR012", "unknown"),))
        yield

    with Listener(tmp_path / "w.sock", refuse), pytest.raises(ConfigError) as caught:
        list(call(tmp_path / "w.sock", "x", {}))
    assert caught.value.exit_status == 2
    assert caught.value.faults[0].one_line() == "a.yaml:1:2: WR012 unknown"


def test_a_bug_in_a_command_is_told_and_does_not_stop_the_server(tmp_path):
    def stumble(request):
        if request.command == "bad":
            raise ZeroDivisionError("oh")
        yield {"fine": True}

    with Listener(tmp_path / "w.sock", stumble):
        with pytest.raises(WardenError, match="ZeroDivisionError: oh"):
            list(call(tmp_path / "w.sock", "bad", {}))
        assert list(call(tmp_path / "w.sock", "good", {})) == [{"fine": True}]


@pytest.mark.parametrize("garbage", [b"\n", b"nonsense\n", b"[]\n", b'{"command": 1}\n', b"\xff\n"])
def test_garbage_is_refused_in_one_line(tmp_path, garbage):
    with Listener(tmp_path / "w.sock", echo):
        channel = socket.socket(socket.AF_UNIX)
        channel.settimeout(5)
        channel.connect(str(tmp_path / "w.sock"))
        channel.sendall(garbage)
        answer = channel.makefile("rb").readline()
        channel.close()
    assert b'"exit_status": 2' in answer


def test_a_folder_deeper_than_a_socket_address_works(tmp_path):
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    with Listener(deep / "w.sock", echo):
        assert list(call(deep / "w.sock", "x", {})) == [{"command": "x"}]


def test_a_daemon_that_dies_in_mid_answer_is_told(tmp_path):
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "w.sock"))
    listener.listen()
    rows = call(tmp_path / "w.sock", "x", {})
    caller, _ = listener.accept()
    caller.recv(1000)
    caller.close()
    with pytest.raises(StoreError, match="went away in mid-answer"):
        list(rows)
    listener.close()


def as_nobody(work):
    """Do it in a process of a user who belongs to no group of ours; what it returns."""
    receive, send = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
            said = work()
        except WardenError as error:
            said = f"{type(error).__name__}: {error}"
        os.write(send, said.encode())
        os._exit(0)
    os.close(send)
    os.waitpid(child, 0)
    with os.fdopen(receive, "rb") as pipe:
        return pipe.read().decode()


@pytest.fixture
def open_folder():
    """A folder that every user may enter; those of pytest are their owner's alone."""
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


needs_root = pytest.mark.skipif(os.getuid() != 0, reason="only root becomes somebody else")


@needs_root
def test_who_does_not_belong_to_the_group_is_refused_in_one_line(open_folder):
    with Listener(open_folder / "w.sock", echo) as listener:
        said = as_nobody(lambda: repr(list(call(open_folder / "w.sock", "ack", {}))))
    assert said == (
        f"StoreError: no permission to use the daemon's socket {open_folder}/w.sock; "
        "operators belong to its group (usually 'warden')"
    )
    assert listener.requests == []


@needs_root
def test_who_asked_is_whom_the_kernel_names_whatever_the_request_says(open_folder):
    with Listener(open_folder / "w.sock", echo) as listener:
        (open_folder / "w.sock").chmod(0o666)
        as_nobody(lambda: repr(list(call(open_folder / "w.sock", "ack", {"who": "root"}))))
    assert [request.who for request in listener.requests] == [user_name(65534)]
