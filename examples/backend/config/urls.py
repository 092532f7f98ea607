"""All routes of the backend; every path ends in a slash, as everywhere in Django."""

from django.conf import settings
from django.urls import include, path
from rest_framework_simplejwt.views import TokenBlacklistView

urlpatterns = [
    path("auth/jwt/blacklist/", TokenBlacklistView.as_view(), name="jwt-blacklist"),
    path("auth/", include("djoser.urls")),
    path("auth/", include("djoser.urls.jwt")),
    path("api/", include("workspaces.urls")),
    path("api/", include("teams.urls")),
    path("api/", include("invitations.urls")),
    path("api/", include("documents.urls")),
    path("api/", include("knowledge_bases.urls")),
    path("api/", include("chats.urls")),
    path("api/subscriptions/", include("subscriptions.urls")),
    path("api/", include("transcription.urls")),
    path("storage/", include("storage.urls")),
]

if settings.FAULT_ROUTES:
    urlpatterns.append(path("api/faults/", include("faults.urls")))
