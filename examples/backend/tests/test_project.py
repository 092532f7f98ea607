"""The project as a whole: settings, migrations, demonstration data."""

import io
import json
import os
from datetime import timedelta
from unittest import mock

from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.test import SimpleTestCase, TestCase

from accounts.models import User
from config import environment
from config.wsgi import application
from tests.base import PASSWORD
from workspaces.models import Workspace


class EnvironmentTest(SimpleTestCase):
    def setUp(self):
        values = {"ON": "yes", "OFF": "0", "LIST": "a, b,", "N": "1.5", "BAD": "perhaps"}
        self.enterContext(mock.patch.dict(os.environ, values))

    def test_values_are_typed(self):
        """Flags, numbers, lists and durations are read, and defaults fill what is missing."""
        self.assertEqual((environment.flag("ON"), environment.flag("OFF")), (True, False))
        self.assertIs(environment.flag("MISSING", True), True)
        self.assertEqual(environment.words("LIST"), ["a", "b"])
        self.assertEqual(environment.seconds("N", timedelta(1)), timedelta(seconds=1.5))
        self.assertEqual(environment.seconds("MISSING", timedelta(1)), timedelta(1))

    def test_nonsense_stops_the_start(self):
        """A value that cannot be understood is an error, not the default."""
        for read in (environment.flag, lambda name: environment.number(name, 0)):
            with self.assertRaises(ImproperlyConfigured):
                read("BAD")


class ProjectTest(TestCase):
    def test_the_wsgi_application_exists(self):
        """Servers can import the application."""
        self.assertTrue(callable(application))

    def test_migrations_are_complete(self):
        """The models need no migration that is not committed."""
        call_command("makemigrations", check=True, dry_run=True, verbosity=0)

    def test_paths_without_their_slash_are_redirected(self):
        """A missing slash leads to a redirect, and an unknown path to Django's page."""
        self.assertEqual(self.client.get("/api/workspaces").status_code, 301)
        self.assertIn("text/html", self.client.get("/api/nothing/")["Content-Type"])


class SeedDemoTest(TestCase):
    def seed(self, *arguments):
        output = io.StringIO()
        call_command("seed_demo", *arguments, stdout=output)
        return json.loads(output.getvalue())

    def test_seeding_twice_changes_nothing(self):
        """The second run finds everything in its place."""
        first, second = self.seed(), self.seed()
        self.assertEqual(first, second)
        self.assertEqual((User.objects.count(), Workspace.objects.count()), (2, 1))
        self.assertEqual(Workspace.objects.get().memberships.count(), 2)

    def test_the_demo_user_can_sign_in(self):
        """The first user is active, and is whom the arguments name."""
        self.seed("--email", "me@example.com", "--password", PASSWORD)
        body = {"email": "me@example.com", "password": PASSWORD}
        response = self.client.post("/auth/jwt/create/", body, content_type="application/json")
        self.assertEqual(response.status_code, 200)
