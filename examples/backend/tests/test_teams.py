"""Teams."""

from tests.base import BackendTestCase


class TeamTest(BackendTestCase):
    def setUp(self):
        super().setUp()
        self.team = self.create("teams", {"name": "Cards"}, self.as_grace)
        self.url = f"{self.root}/teams/{self.team['id']}/"

    def test_ids_are_numbers(self):
        """Teams and memberships are numbered, and the creator is the owner."""
        self.assertIsInstance(self.team["id"], int)
        self.assertEqual(self.team["owner"], self.grace.pk)
        self.assertEqual([member["role"] for member in self.team["members"]], ["owner"])

    def test_members_of_the_workspace_see_teams(self):
        """A team can be read and listed by every member of its workspace."""
        self.assertEqual(self.as_ada.get(self.url).json()["name"], "Cards")
        self.assertEqual(len(self.as_ada.get(f"{self.root}/teams/").json()), 1)

    def test_owners_change_teams(self):
        """The team's owner and the workspace's owner rename and delete, other members do not."""
        self.workspace.memberships.create(user=self.eve)
        self.assertEqual(self.as_eve.put(self.url, {"name": "X"}).status_code, 403)
        self.assertEqual(self.as_grace.put(self.url, {"description": "d"}).json()["name"], "Cards")
        self.assertEqual(self.as_ada.put(self.url, {"name": "Looms"}).json()["name"], "Looms")
        self.assertEqual(self.as_grace.delete(self.url).status_code, 204)

    def test_an_invitation_leads_into_team_and_workspace(self):
        """Accepting a team's invitation makes a member of both."""
        response = self.as_grace.post(
            f"{self.url}invitations/", {"email": "eve@example.com", "role": "admin"}
        )
        self.assertEqual(response.status_code, 201)
        invitation = response.json()
        self.assertEqual((invitation["team"], invitation["workspace"]), (self.team["id"], None))
        self.as_eve.post(f"/api/invitations/{invitation['id']}/accept/")
        self.assertEqual(self.as_eve.get(self.url).json()["members"][1]["role"], "admin")
        self.assertEqual(len(self.as_eve.get(f"{self.url}invitations/").json()), 1)

    def join(self, user) -> dict:
        """Put a user into the team, and tell the membership."""
        self.grace.owned_teams.get(pk=self.team["id"]).memberships.create(user=user)
        return self.as_ada.get(self.url).json()["members"][-1]

    def test_owners_manage_memberships(self):
        """Roles change by PUT and members go by DELETE, but the owner's place is fixed."""
        url = f"{self.url}memberships/{self.join(self.ada)['id']}/"
        self.assertEqual(self.as_grace.put(url, {"role": "admin"}).json()["role"], "admin")
        self.assertEqual(self.as_grace.put(url, {"role": "owner"}).status_code, 400)
        self.assertEqual(self.as_grace.delete(url).status_code, 204)
        own = f"{self.url}memberships/{self.team['members'][0]['id']}/"
        self.assertEqual(self.as_grace.delete(own).status_code, 400)
        self.assertEqual(self.as_grace.put(own, {"role": "member"}).status_code, 400)

    def test_members_do_not_manage_memberships(self):
        """A plain member cannot raise anybody's role."""
        self.workspace.memberships.create(user=self.eve)
        url = f"{self.url}memberships/{self.join(self.eve)['id']}/"
        self.assertEqual(self.as_eve.put(url, {"role": "admin"}).status_code, 403)

    def test_leaving(self):
        """A member leaves; the owner and who is no member cannot."""
        self.assertEqual(self.as_ada.post(f"{self.url}leave/").status_code, 400)
        self.join(self.ada)
        self.assertEqual(self.as_ada.post(f"{self.url}leave/").status_code, 204)
        self.assertEqual(self.as_grace.post(f"{self.url}leave/").status_code, 400)
