"""The project's routes plus the fault routes, as BACKEND_FAULT_ROUTES=1 mounts them."""

from django.urls import include, path

from config.urls import urlpatterns as regular

urlpatterns = [*regular, path("api/faults/", include("faults.urls"))]
