"""Routes of the object store."""

from django.db import transaction
from django.urls import path

from storage.views import ObjectView

urlpatterns = [
    # A long upload must not hold the database's write lock; the store needs no database at all.
    path("objects/<path:key>", transaction.non_atomic_requests(ObjectView.as_view()), name="storage-object"),
]
