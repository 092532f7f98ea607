"""A test runner that keeps its files to itself."""

import tempfile
from pathlib import Path

from django.test.runner import DiscoverRunner
from django.test.utils import override_settings


class IsolatedRunner(DiscoverRunner):
    """Stores objects in a temporary folder, hashes passwords fast, and lets no pretended work take time."""

    def setup_test_environment(self, **kwargs):
        """Change the settings for the whole run."""
        super().setup_test_environment(**kwargs)
        self._folder = tempfile.TemporaryDirectory()
        self._settings = override_settings(
            PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
            STORAGE_DIR=Path(self._folder.name),
            STRIPE_WEBHOOK_SECRET="whsec_test",
            AGENT_ASYNC_ENABLED=False,
            AGENT_TASK_SECONDS=0,
            CHAT_STREAM_DELAY_SECONDS=0,
        )
        self._settings.enable()

    def teardown_test_environment(self, **kwargs):
        """Put everything back."""
        self._settings.disable()
        self._folder.cleanup()
        super().teardown_test_environment(**kwargs)
