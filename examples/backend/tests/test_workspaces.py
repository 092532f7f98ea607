"""Workspaces and invitations."""

from django.core import mail

from accounts.models import User
from tests.base import PASSWORD, BackendTestCase
from workspaces.models import Workspace


class WorkspaceTest(BackendTestCase):
    def test_everybody_needs_an_account(self):
        """Without credentials nothing is listed."""
        self.assertEqual(self.client.get("/api/workspaces/").status_code, 403)

    def test_creating_makes_owner_and_first_member(self):
        """Who creates a workspace owns it and finds it in the list."""
        created = self.as_eve.post("/api/workspaces/", {"name": "Bletchley"})
        self.assertEqual(created.status_code, 201)
        self.assertEqual(created.json()["owner"], self.eve.pk)
        self.assertEqual([member["role"] for member in created.json()["members"]], ["owner"])
        self.assertEqual([item["name"] for item in self.as_eve.get("/api/workspaces/").json()], ["Bletchley"])

    def test_a_name_is_required(self):
        """A workspace without a name is refused by field."""
        response = self.as_ada.post("/api/workspaces/", {})
        self.assertEqual((response.status_code, list(response.json())), (400, ["name"]))

    def test_only_members_see_a_workspace(self):
        """Members read it; for others neither it nor anything below it exists."""
        self.assertEqual(self.as_grace.get(f"{self.root}/").json()["name"], "Analytical Engine")
        for path in ("", "invitations/", "chats/", "documents/", "knowledge-bases/", "teams/"):
            with self.subTest(path):
                self.assertEqual(self.as_eve.get(f"{self.root}/{path}").status_code, 404)

    def test_only_the_owner_changes_a_workspace(self):
        """The owner renames and deletes; a member may do neither."""
        self.assertEqual(self.as_grace.put(f"{self.root}/", {"name": "Mine"}).status_code, 403)
        self.assertEqual(self.as_grace.delete(f"{self.root}/").status_code, 403)
        self.assertEqual(self.as_ada.put(f"{self.root}/", {"name": "New"}).json()["name"], "New")
        self.assertEqual(self.as_ada.delete(f"{self.root}/").status_code, 204)
        self.assertFalse(Workspace.objects.exists())

    def test_leaving_ends_all_memberships(self):
        """A member who leaves is out of the workspace and of its teams."""
        team = self.create("teams", {"name": "Cards"})
        self.ada.owned_teams.get(pk=team["id"]).memberships.create(user=self.grace)
        self.assertEqual(self.as_grace.post(f"{self.root}/leave/").status_code, 204)
        self.assertEqual(self.as_grace.get(f"{self.root}/").status_code, 404)
        self.assertFalse(self.grace.team_memberships.exists())

    def test_owners_cannot_leave(self):
        """Neither the workspace's owner nor the owner of a team in it can just go."""
        self.create("teams", {"name": "Cards"}, self.as_grace)
        for client in (self.as_ada, self.as_grace):
            response = client.post(f"{self.root}/leave/")
            self.assertEqual((response.status_code, list(response.json())), (400, ["detail"]))


class InvitationTest(BackendTestCase):
    def invite(self, email="eve@example.com", **fields):
        return self.create("invitations", {"email": email, **fields})

    def test_inviting_records_an_existing_user(self):
        """An invitation knows its invitee, starts as a member's and open, and is mailed."""
        invitation = self.invite("EVE@example.com")
        self.assertEqual(invitation["invitee"], self.eve.pk)
        self.assertEqual((invitation["role"], invitation["is_accepted"]), ("member", False))
        self.assertEqual(mail.outbox[0].to, ["eve@example.com"])
        self.assertEqual(self.as_grace.get(f"{self.root}/invitations/").json(), [invitation])

    def test_accepting_makes_a_member(self):
        """The invitee accepts once and is then a member with the promised role."""
        invitation = self.invite(role="admin")
        url = f"/api/invitations/{invitation['id']}/"
        self.assertEqual(
            [item["id"] for item in self.as_eve.get("/api/invitations/").json()], [invitation["id"]]
        )
        accepted = self.as_eve.post(f"{url}accept/")
        self.assertEqual((accepted.status_code, accepted.json()["is_accepted"]), (200, True))
        self.assertEqual(self.workspace.memberships.get(user=self.eve).role, "admin")
        self.assertEqual(self.as_eve.post(f"{url}accept/").status_code, 400)

    def test_an_invitation_waits_for_the_account(self):
        """Somebody who registers after being invited finds and accepts the invitation."""
        invitation = self.invite("later@example.com")
        self.assertIsNone(invitation["invitee"])
        later = User.objects.create_user("later@example.com", PASSWORD)
        response = self.client_of(later).post(f"/api/invitations/{invitation['id']}/accept/")
        self.assertEqual((response.status_code, response.json()["invitee"]), (200, later.pk))

    def test_invitations_are_for_one_person(self):
        """The inviter cannot accept, and a third person does not even see it."""
        url = f"/api/invitations/{self.invite()['id']}/"
        self.assertEqual(self.as_ada.post(f"{url}accept/").status_code, 403)
        self.assertEqual(self.as_grace.post(f"{url}accept/").status_code, 404)

    def test_pointless_invitations_are_refused(self):
        """Members, people invited already and unknown roles are refused by field."""
        self.invite()
        cases = (("email", "grace@example.com", "member"), ("email", "eve@example.com", "member"))
        for field, email, role in (*cases, ("role", "x@example.com", "owner")):
            with self.subTest(email):
                response = self.as_ada.post(f"{self.root}/invitations/", {"email": email, "role": role})
                self.assertEqual((response.status_code, list(response.json())), (400, [field]))

    def test_plain_members_do_not_invite(self):
        """Inviting takes the owner or an admin."""
        response = self.as_grace.post(f"{self.root}/invitations/", {"email": "x@example.com"})
        self.assertEqual(response.status_code, 403)

    def test_invitations_can_be_resent_and_withdrawn(self):
        """The inviter sends the mail again, and takes the invitation back."""
        url = f"/api/invitations/{self.invite()['id']}/"
        self.assertEqual(self.as_eve.post(f"{url}resend/").status_code, 403)
        self.assertEqual(self.as_ada.post(f"{url}resend/").status_code, 204)
        self.assertEqual(len(mail.outbox), 2)
        self.assertEqual(self.as_ada.delete(url).status_code, 204)
        self.assertEqual(self.as_eve.get(url).status_code, 404)
