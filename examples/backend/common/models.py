"""Base models: every record knows when it was made, and workspace content has ids nobody can guess."""

import uuid

from django.db import models


class TimeStampedModel(models.Model):
    """A record with its creation and last change."""

    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True


class UUIDModel(TimeStampedModel):
    """A record with a random id, so that an id in a URL tells nothing about its neighbours."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)

    class Meta:
        abstract = True
