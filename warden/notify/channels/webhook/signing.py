"""Standard Webhooks signatures (standardwebhooks.com, specification 1.0.0, HMAC-SHA256)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable
from datetime import datetime

from pydantic import SecretStr

_PREFIX = "whsec_"
_MIN_BYTES = 16


def key_bytes(secret: SecretStr) -> bytes:
    """The key in a secret written as `whsec_<base64>`, or as bare base64.

    Raises ValueError, without the secret in it, where it is neither.
    """
    text = secret.get_secret_value().strip().removeprefix(_PREFIX)
    try:
        key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("a webhook secret must be 'whsec_' and base64") from None
    if len(key) < _MIN_BYTES:
        raise ValueError(f"a webhook secret must hold at least {_MIN_BYTES} bytes")
    return key


def sign(keys: Iterable[bytes], webhook_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The three headers; one signature a key, so that a receiver may rotate."""
    stamp = str(int(at.timestamp()))
    content = b".".join((webhook_id.encode(), stamp.encode(), body))
    signatures = (
        "v1," + base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
        for key in keys
    )
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": stamp,
        "webhook-signature": " ".join(signatures),
    }
