"""The settings by which AWS is reached: what can't be right is refused, and named by where the user wrote it."""

import os
import re
import ssl
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pipeline.errors import MisuseError

PROFILES = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE")
PROXIES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy")
_HEADER = re.compile(r"[!-~]+")
_SECRET = re.compile("KEY|TOKEN|SECRET|PASSWORD")
_CREDENTIALS = {"access_key": "AWS_ACCESS_KEY_ID", "secret_key": "AWS_SECRET_ACCESS_KEY", "token": "AWS_SESSION_TOKEN"}


def blamed(text: str) -> str:
    """Return what names the variables whose values a message is about, to be put behind it."""
    names = [name for name in os.environ if name.startswith("AWS_") and not _SECRET.search(name)]
    at_fault = [name for name in (*names, *PROXIES) if len(value := os.environ.get(name, "")) > 1 and value in text]
    return f" (set by {', '.join(dict.fromkeys(at_fault))})" if at_fault else ""


def without_secrets(text: str) -> str:
    """Return a message without the header that it may quote, which holds a signature."""
    return re.sub(r"(?i)\bb?(['\"])[^'\"]*(?:signature|credential)=.*", "...", text, flags=re.DOTALL)


def require_region(region: str) -> None:
    """Refuse a region that no header can hold."""
    if not _HEADER.fullmatch(region):
        raise MisuseError(f"The region must be one such as eu-west-1 (got {region!r}){blamed(region)}.")


def require_credentials(credentials: Any) -> None:
    """Refuse static credentials with characters that no header can hold, without showing them."""
    for attribute, variable in _CREDENTIALS.items():
        value = vars(credentials).get(attribute)  # others than static ones are asked for later
        if isinstance(value, str) and not _HEADER.fullmatch(value):
            where = variable if credentials.method == "env" else f"{variable.lower()} of {credentials.method}"
            raise MisuseError(f"{where} must have no space, line end or other character that is not ASCII.")


def require_endpoint(service: str) -> None:
    """Refuse an endpoint in the environment that is no URL."""
    for variable in (f"AWS_ENDPOINT_URL_{service.upper()}", "AWS_ENDPOINT_URL"):
        value = os.environ.get(variable, "")
        if value and not _is_url(value):
            raise MisuseError(f"{variable} must be a URL such as http://127.0.0.1:4566 (got {value!r}).")


def require_certificates() -> None:
    """Refuse a bundle of certificates that can't be read."""
    for variable in ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"):
        if path := os.environ.get(variable):
            is_folder = Path(path).is_dir()
            try:
                ssl.create_default_context(cafile=None if is_folder else path, capath=path if is_folder else None)
            except OSError as error:
                reason = "no certificates" if isinstance(error, ssl.SSLError) else error.strerror
                raise MisuseError(f"{variable} must name a file of certificates (got {path!r}: {reason}).") from error


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0 and " " not in text
    except ValueError:
        return False
