"""What hides secrets in other people's words: every form they travel in, and no more than that."""

import base64
import logging
from urllib.parse import quote_plus

import pytest
from pydantic import SecretStr

from warden import secrecy
from warden.errors import ChannelError
from warden.logs import PlainFormatter
from warden.notify.channels.webhook.channel import _judge
from warden.notify.channels.webhook.post import Answer
from warden.secrecy import VEIL, hide, veiled
from warden.settings import Secrets


@pytest.fixture(autouse=True)
def own_veil(monkeypatch):
    """A veil of this test's own."""
    monkeypatch.setattr(secrecy, "_hidden", {})
    monkeypatch.setattr(secrecy, "_longest_first", ())


SECRET = 'a "secret" & 50%'


@pytest.mark.parametrize(
    "form",
    [
        SECRET,
        quote_plus(SECRET),
        SECRET.replace('"', '\\"'),
        base64.b64encode(SECRET.encode()).decode(),
    ],
)
def test_a_secret_is_taken_out_in_every_form_it_travels_in(form):
    hide(SECRET)
    assert veiled(f"it said: {form}!") == f"it said: {VEIL}!"


def test_of_an_address_the_path_and_its_long_pieces_are_hidden():
    path = "/services/T0123456789/B0123456789/abcdefghijklmnop"
    hide(f"https://hooks.example.org{path}?key=k0123456789ab")
    said = veiled(f"Cannot POST {path} at hooks.example.org")
    assert said == f"Cannot POST {VEIL} at hooks.example.org"
    assert veiled("no hook: abcdefghijklmnop, k0123456789ab") == f"no hook: {VEIL}, {VEIL}"
    assert veiled("services of hooks.example.org") == "services of hooks.example.org"


def test_what_is_too_short_to_be_told_from_words_is_left():
    hide("geheim", "", "x")
    assert veiled("geheim x") == "geheim x"


def test_whoever_reads_a_secret_has_hidden_it(tmp_path, monkeypatch):
    (tmp_path / "one").write_text("from-a-file\n")
    monkeypatch.setenv("WARDEN_SECRET_TWO", "from-a-variable")
    secrets = Secrets(tmp_path)
    assert secrets.require("one") == SecretStr("from-a-file")
    assert secrets.require("two") == SecretStr("from-a-variable")
    assert veiled("from-a-file from-a-variable") == f"{VEIL} {VEIL}"
    assert "from-a" not in repr(secrets.get("one"))


def test_a_secret_that_is_cut_off_at_the_end_of_a_long_answer_is_not_told_by_half():
    hide("0123456789abcdef")
    answer = Answer(404, {}, b"x" * 280 + b" 0123456789abcdef" * 2)
    with pytest.raises(ChannelError) as caught:
        _judge(answer, None)
    assert "0123" not in str(caught.value)


def test_a_traceback_of_a_library_does_not_tell_the_address_it_tried():
    hide("https://watch.example.org/ping/0123456789ab")
    error = ValueError("Failed to parse: https://watch.example.org/ping/0123456789ab")
    entry = ("warden", logging.ERROR, "x", 1, "heartbeat failed", None)
    record = logging.LogRecord(*entry, (ValueError, error, None))
    assert PlainFormatter().format(record).endswith(f"ValueError: Failed to parse: {VEIL}")


def test_only_so_many_are_kept_and_the_newest():
    hide(*(f"token-{number:08d}" for number in range(secrecy.MOST)))
    assert veiled("token-00000000") == "token-00000000"
    assert veiled(f"token-{secrecy.MOST - 1:08d}") == VEIL
    assert len(secrecy._hidden) == secrecy.MOST
