"""Accounts and tokens."""

import re
from datetime import timedelta

from django.core import mail
from rest_framework.test import APITestCase
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken

from accounts.models import User
from tests.base import PASSWORD, BackendTestCase

NEW = {"email": "new@example.com", "name": "New", "password": PASSWORD, "re_password": PASSWORD}


def link_in_mail() -> dict:
    """The ``uid`` and ``token`` of the link in the last mail."""
    match = re.search(r"/(?P<uid>[\w-]+)/(?P<token>\w+-\w+)", mail.outbox[-1].body)
    return match.groupdict()


class RegistrationTest(APITestCase):
    def post(self, path, body):
        return self.client.post(f"/auth/{path}/", body, format="json")

    def test_registering_needs_activation_before_signing_in(self):
        """An account can sign in only after the link of the activation mail has been used, once."""
        self.assertEqual(self.post("users", NEW).status_code, 201)
        self.assertEqual(self.post("jwt/create", NEW).status_code, 401)
        link = link_in_mail()
        self.assertEqual(self.post("users/activation", link).status_code, 204)
        self.assertEqual(self.post("jwt/create", NEW).status_code, 200)
        self.assertEqual(self.post("users/activation", link).status_code, 403)

    def test_the_link_leads_to_the_front_end(self):
        """The activation mail links to the configured page of the front end."""
        self.post("users", NEW)
        self.assertIn("http://localhost:3000/user-activation/", mail.outbox[0].body)

    def test_the_activation_mail_can_be_sent_again(self):
        """A second activation mail is sent to an inactive account, and to nobody else."""
        self.post("users", NEW)
        self.assertEqual(self.post("users/resend_activation", {"email": NEW["email"]}).status_code, 204)
        self.assertEqual(self.post("users/resend_activation", {"email": "x@example.com"}).status_code, 204)
        self.assertEqual(len(mail.outbox), 2)

    def test_bad_registrations_are_explained_by_field(self):
        """Weak, unequal and missing passwords and bad addresses are refused with 400 and a reason."""
        cases = {
            "password": {**NEW, "password": "12345678", "re_password": "12345678"},
            "non_field_errors": {**NEW, "re_password": "another one"},
            "email": {**NEW, "email": "nobody"},
            "re_password": {"email": NEW["email"], "password": PASSWORD},
        }
        for field, body in cases.items():
            with self.subTest(field):
                response = self.post("users", body)
                self.assertEqual((response.status_code, list(response.json())), (400, [field]))

    def test_an_address_is_one_account_however_it_is_spelt(self):
        """Capital letters make neither a second account nor a failed sign-in."""
        User.objects.create_user("ada@example.com", PASSWORD)
        taken = self.post("users", {**NEW, "email": "ADA@example.com"})
        self.assertEqual((taken.status_code, list(taken.json())), (400, ["email"]))
        signed_in = self.post("jwt/create", {"email": "Ada@Example.com", "password": PASSWORD})
        self.assertEqual(signed_in.status_code, 200)


class PasswordResetTest(BackendTestCase):
    def test_a_forgotten_password_can_be_replaced(self):
        """The link of the reset mail sets a new password once; an unknown address gets no mail."""
        for email in ("ada@example.com", "nobody@example.com"):
            response = self.client.post("/auth/users/reset_password/", {"email": email}, format="json")
            self.assertEqual(response.status_code, 204)
        self.assertEqual(len(mail.outbox), 1)
        new = {**link_in_mail(), "new_password": "a wholly new secret"}
        for repeated, code in (
            ("another one", 400),
            ("a wholly new secret", 204),
            ("a wholly new secret", 400),
        ):
            body = {**new, "re_new_password": repeated}
            response = self.client.post("/auth/users/reset_password_confirm/", body, format="json")
            self.assertEqual(response.status_code, code)
        self.ada.refresh_from_db()
        self.assertTrue(self.ada.check_password("a wholly new secret"))


class TokenTest(BackendTestCase):
    def me(self, token, scheme="JWT"):
        return self.client.get("/auth/users/me/", headers={"Authorization": f"{scheme} {token}"})

    def test_signing_in_gives_a_token_for_the_own_account(self):
        """The access token opens ``users/me``, which tells id, e-mail and name."""
        body = {"email": "ada@example.com", "password": PASSWORD}
        tokens = self.client.post("/auth/jwt/create/", body, format="json").json()
        self.assertEqual(set(tokens), {"access", "refresh"})
        expected = {"id": self.ada.pk, "email": "ada@example.com", "name": "Ada"}
        self.assertEqual(self.me(tokens["access"]).json(), expected)

    def test_only_the_scheme_jwt_counts(self):
        """A ``Bearer`` header is as good as none."""
        response = self.me(AccessToken.for_user(self.ada), "Bearer")
        self.assertEqual(response.status_code, 403)
        self.assertEqual(response.json(), {"detail": "Authentication credentials were not provided."})

    def test_an_expired_token_is_named_as_such(self):
        """An expired access token is refused with the code ``token_not_valid``."""
        token = AccessToken.for_user(self.ada)
        token.set_exp(lifetime=timedelta(seconds=-1))
        response = self.me(token)
        self.assertEqual((response.status_code, response.json()["code"]), (403, "token_not_valid"))

    def test_refreshing_gives_an_access_token_only(self):
        """Without rotation the refresh token stays the same and is not repeated."""
        body = {"refresh": str(RefreshToken.for_user(self.ada))}
        response = self.client.post("/auth/jwt/refresh/", body, format="json")
        self.assertEqual((response.status_code, list(response.json())), (200, ["access"]))

    def test_a_blacklisted_refresh_token_is_dead(self):
        """Signing out ends a refresh token for good."""
        body = {"refresh": str(RefreshToken.for_user(self.ada))}
        self.assertEqual(self.client.post("/auth/jwt/blacklist/", body, format="json").status_code, 200)
        response = self.client.post("/auth/jwt/refresh/", body, format="json")
        self.assertEqual((response.status_code, response.json()["code"]), (401, "token_not_valid"))

    def test_tokens_can_be_verified(self):
        """A good token is answered with an empty object, anything else with 401."""
        for token, code in ((str(AccessToken.for_user(self.ada)), 200), ("nonsense", 401)):
            response = self.client.post("/auth/jwt/verify/", {"token": token}, format="json")
            self.assertEqual(response.status_code, code)
