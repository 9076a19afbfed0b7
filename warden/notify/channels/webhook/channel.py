"""Calls one hook once, and reads its answer as accepted, refused or to be tried again."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from warden import __version__
from warden.errors import ChannelError, ConfigError
from warden.model.delivery import Outgoing
from warden.notify.channels.protocol import Secrets
from warden.notify.channels.webhook.post import Answer, Poster
from warden.notify.channels.webhook.signing import key_bytes, sign
from warden.notify.channels.webhook.targets import WebhookOptions, why_bad_url
from warden.notify.formats import media_type
from warden.notify.routes import Target
from warden.secrecy import veiled

_TRY_AGAIN = frozenset({408, 425, 429})
_MAX_RETRY_AFTER_S = 10 * 366 * 86400.0


class WebhookChannel:
    """Posts signed payloads.

    Attributes:
        secrets: gives the secret of a name, asked at every try so that a rotation needs no restart.
    """

    def __init__(self, secrets: Secrets, context: ssl.SSLContext | None = None) -> None:
        self._secrets = secrets
        self._poster = Poster(context or ssl.create_default_context())

    def send(self, outgoing: Outgoing, target: Target, now: datetime) -> str:
        """Post one payload; 2xx is success."""
        options = target.options
        if not isinstance(options, WebhookOptions):
            raise ChannelError("not a webhook", permanent=True)
        url, keys = self._resolve(options)
        body = outgoing.body.encode()
        headers = {
            "content-type": media_type(outgoing.delivery.format),
            "user-agent": f"warden/{__version__}",
            "accept": "*/*",
            **(sign(keys, outgoing.delivery.key, now, body) if keys else {}),
        }
        try:
            answer = self._poster.post(
                url,
                body,
                headers,
                timeout_s=options.timeout_s,
                allow_private=options.allow_private,
            )
        except ssl.SSLCertVerificationError as error:
            raise ChannelError(f"certificate refused: {error.verify_message}") from error
        except (OSError, ValueError) as error:
            raise ChannelError(_why(error, options)) from error
        return _judge(answer, now)

    def close_idle(self, *, all_of_them: bool = False) -> None:
        """Close kept connections that nobody has needed for seconds."""
        self._poster.close_idle(all_of_them=all_of_them)

    def _resolve(self, options: WebhookOptions) -> tuple[str, list[bytes]]:
        try:
            keys = [key_bytes(self._secrets(name)) for name in options.secrets]
            if not options.url_secret:
                return options.url, keys
            url = self._secrets(options.url_secret).get_secret_value().strip()
        except (ConfigError, ValueError) as error:
            raise ChannelError(str(error)) from error
        reason = why_bad_url(url, private=options.allow_private)
        if reason:
            raise ChannelError(f"the URL in the secret '{options.url_secret}' is refused: {reason}")
        return url, keys


def _why(error: Exception, options: WebhookOptions) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer within {options.timeout_s:g} s"
    return str(error) or type(error).__name__


def _judge(answer: Answer, now: datetime) -> str:
    status = answer.status
    if 200 <= status < 300:  # noqa: PLR2004 -- HTTP's class of success
        return f"HTTP {status}"
    if 300 <= status < 400:  # noqa: PLR2004
        raise ChannelError(f"HTTP {status}: redirects are not followed; mend the URL")
    pause = retry_after_s(answer.headers.get("retry-after"), now)
    permanent = 400 <= status < 500 and status not in _TRY_AGAIN  # noqa: PLR2004
    said = veiled(answer.body.decode("utf-8", "replace"))  # before it is cut, in mid-secret maybe
    words = " ".join("".join(c if c.isprintable() else " " for c in said).split())
    raise ChannelError(
        f"HTTP {status} {words}"[:300].strip(), permanent=permanent, retry_after_s=pause
    )


def retry_after_s(value: str | None, now: datetime) -> float | None:
    """The pause a `Retry-After` asks for, in seconds or as a date; None where it says nothing."""
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:12]), _MAX_RETRY_AFTER_S)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(max((moment - now).total_seconds(), 0.0), _MAX_RETRY_AFTER_S)
