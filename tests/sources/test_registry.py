"""The kinds of feeds, and how little it costs not to use them."""

from __future__ import annotations

import subprocess
import sys

from pydantic import SecretStr

from warden.sources import KINDS, make_source
from warden.sources.acled import AcledSource
from warden.sources.file import FileSource

ACLED = {"name": "acled", "kind": "acled", "username": "a@b.org", "password": {"secret": "key"}}


def test_every_kind_makes_its_source(tmp_path):
    asked = []

    def read_secret(name):
        asked.append(name)
        return SecretStr("x")

    acled = KINDS["acled"][0].model_validate(ACLED)
    folder = KINDS["file"][0].model_validate({"name": "inbox", "kind": "file", "path": tmp_path})
    assert isinstance(make_source(acled, read_secret), AcledSource)
    assert isinstance(make_source(folder, read_secret), FileSource)
    assert asked == ["key"]


def test_every_settings_model_names_its_kind():
    for kind, (model, _) in KINDS.items():
        assert model.model_fields["kind"].default == kind


def test_knowing_the_protocol_does_not_load_http():
    code = "import sys, warden.sources.protocol; sys.exit('requests' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
