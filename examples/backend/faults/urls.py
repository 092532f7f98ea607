"""Routes of the faults."""

from django.db import transaction
from django.urls import path

from faults.views import FaultView

# A slow fault must not hold the database's write lock.
urlpatterns = [path("<slug:kind>/", transaction.non_atomic_requests(FaultView.as_view()), name="fault")]
