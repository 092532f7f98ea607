"""App configuration."""

from django.apps import AppConfig


class DocumentsConfig(AppConfig):
    """Connects the signal that removes the bytes of deleted documents."""

    name = "documents"

    def ready(self):
        """Importing the module connects its receivers."""
        from documents import signals  # noqa: F401
