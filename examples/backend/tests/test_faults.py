"""The routes that misbehave on purpose."""

import json
import time

from django.test import override_settings
from rest_framework.test import APITestCase

from faults.kinds import KINDS

STATUS = {
    "field-errors": 400,
    "nested-errors": 400,
    "non-field-errors": 400,
    "bare-list": 400,
    "many-errors": 400,
    "detail-400": 400,
    "detail-403": 403,
    "detail-404": 404,
    "detail-405": 405,
    "detail-409": 409,
    "detail-429": 429,
    "detail-503": 503,
    "server-error": 500,
    "broken-json": 200,
    "empty-500": 500,
    "huge-html": 502,
    "cookies": 200,
    "redirect": 301,
    "no-content": 204,
    "slow": 200,
    "unknown": 404,
}


class HiddenFaultsTest(APITestCase):
    def test_faults_are_off_by_default(self):
        """Unless asked for, no fault route exists."""
        self.assertEqual(self.client.get("/api/faults/cookies/").status_code, 404)


@override_settings(ROOT_URLCONF="tests.urls_with_faults")
class FaultsTest(APITestCase):
    def setUp(self):
        self.client.raise_request_exception = False

    def fault(self, kind):
        return self.client.get(f"/api/faults/{kind}/")

    def test_every_fault_has_its_status(self):
        """Each kind answers GET and POST with the status it stands for."""
        self.assertEqual(set(STATUS), {*KINDS, "unknown"})
        with self.assertLogs("django.request"):
            for kind, code in STATUS.items():
                with self.subTest(kind):
                    url = f"/api/faults/{kind}/?seconds=0"
                    self.assertEqual(self.client.get(url).status_code, code)
                    self.assertEqual(self.client.post(url, {"x": 1}, format="json").status_code, code)

    def test_error_bodies_have_their_shapes(self):
        """Errors come as an object, nested, as a list, or as one entry per item."""
        self.assertEqual(list(self.fault("field-errors").json()), ["email", "password"])
        self.assertEqual(self.fault("nested-errors").json()["address"], {"city": ["This field is required."]})
        self.assertEqual(list(self.fault("non-field-errors").json()), ["non_field_errors"])
        self.assertIsInstance(self.fault("bare-list").json()[0], str)
        self.assertEqual(self.fault("many-errors").json()[::2], [{}, {}])
        self.assertEqual(list(self.fault("detail-409").json()), ["detail"])

    def test_bodies_that_are_not_what_they_say(self):
        """Broken JSON does not parse, an empty error is empty, and the big page is big."""
        with self.assertRaises(json.JSONDecodeError):
            json.loads(self.fault("broken-json").content)
        self.assertEqual(self.fault("empty-500").content, b"")
        self.assertGreater(len(self.fault("huge-html").content), 1_000_000)
        self.assertIn("text/html", self.fault("server-error")["Content-Type"])

    def test_headers(self):
        """Throttling names the wait, and cookies come with headers about the server."""
        self.assertEqual(self.fault("detail-429")["Retry-After"], "30")
        response = self.fault("cookies")
        self.assertEqual(set(response.cookies), {"sessionid", "csrftoken"})
        self.assertIn("X-Powered-By", response)
        self.assertEqual(self.fault("redirect")["Location"], "/api/workspaces/")

    def test_slow_answers_take_their_time(self):
        """The wait is as long as asked for, and has to be a number."""
        start = time.monotonic()
        self.client.get("/api/faults/slow/?seconds=0.05")
        self.assertGreaterEqual(time.monotonic() - start, 0.05)
        self.assertEqual(self.client.get("/api/faults/slow/?seconds=x").status_code, 400)
