"""What has to happen outside the database when a document is deleted."""

from functools import partial

from django.db import transaction
from django.db.models.signals import post_delete
from django.dispatch import receiver

from documents.models import Document
from storage import store


@receiver(post_delete, sender=Document)
def remove_bytes(instance, **kwargs):
    """Delete the stored object, once the deletion is certain.

    A signal, because documents are also deleted along with their workspace.
    """
    if instance.s3_key:
        transaction.on_commit(partial(store.delete, instance.s3_key))
