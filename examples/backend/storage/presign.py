"""Presigned URLs: a signed, expiring permission to store or fetch one object."""

from dataclasses import asdict, dataclass
from urllib.parse import urlencode

from django.conf import settings
from django.core import signing
from django.urls import reverse

SALT = "storage.presign"


class NotPermitted(Exception):
    """The signature is missing, forged, expired or made for something else."""


@dataclass(frozen=True)
class Permission:
    """What the bearer of a URL may do, and with which bytes."""

    method: str
    key: str
    content_type: str = ""
    size: int = 0
    filename: str = ""


def presigned_url(permission: Permission, request) -> str:
    """A URL which grants the permission until ``STORAGE_URL_SECONDS`` have passed."""
    path = reverse("storage-object", args=[permission.key])
    query = urlencode({"signature": signing.dumps(asdict(permission), salt=SALT)})
    base = settings.STORAGE_PUBLIC_URL or request.build_absolute_uri("/").rstrip("/")
    return f"{base}{path}?{query}"


def check(signature: str, method: str, key: str) -> Permission:
    """The permission inside a signature, provided it covers this method and key."""
    try:
        signed = signing.loads(signature, salt=SALT, max_age=settings.STORAGE_URL_SECONDS)
    except signing.SignatureExpired:
        raise NotPermitted("The URL has expired.") from None
    except signing.BadSignature:
        raise NotPermitted("The signature does not match.") from None
    permission = Permission(**signed)
    if (permission.method, permission.key) != (method, key):
        raise NotPermitted("The URL was made for something else.")
    return permission
