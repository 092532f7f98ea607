"""What most tests start from."""

from rest_framework.test import APIClient, APITestCase

from accounts.models import User
from workspaces.models import Workspace

PASSWORD = "correct horse battery staple"


class BackendTestCase(APITestCase):
    """Ada owns a workspace, Grace is a member of it, and Eve has nothing to do with it."""

    @classmethod
    def setUpTestData(cls):
        cls.ada = User.objects.create_user("ada@example.com", PASSWORD, name="Ada")
        cls.grace = User.objects.create_user("grace@example.com", PASSWORD, name="Grace")
        cls.eve = User.objects.create_user("eve@example.com", PASSWORD, name="Eve")
        cls.workspace = Workspace.objects.create_for(cls.ada, name="Analytical Engine")
        cls.workspace.memberships.create(user=cls.grace)
        cls.root = f"/api/workspaces/{cls.workspace.pk}"

    def setUp(self):
        self.as_ada = self.client_of(self.ada)
        self.as_grace = self.client_of(self.grace)
        self.as_eve = self.client_of(self.eve)

    @staticmethod
    def client_of(user) -> APIClient:
        """A client signed in as this user, speaking JSON."""
        client = APIClient()
        client.force_authenticate(user)
        client.default_format = "json"
        return client

    def create(self, path: str, body: dict, client: APIClient | None = None) -> dict:
        """Post below the workspace, and answer with what was created."""
        response = (client or self.as_ada).post(f"{self.root}/{path}/", body)
        self.assertEqual(response.status_code, 201, response.content)
        return response.json()

    def upload(self, filename: str, data: bytes, content_type: str = "", **fields) -> str:
        """Upload and confirm a file; answers with the document's URL."""
        body = {"filename": filename, "content_type": content_type, "file_size": len(data), **fields}
        created = self.create("documents/upload", body)
        stored = self.client.put(created["upload_url"], data, content_type=content_type or "text/plain")
        self.assertEqual(stored.status_code, 200, stored.content)
        url = f"{self.root}/documents/{created['document_id']}/"
        self.assertEqual(self.as_ada.post(f"{url}confirm-upload/").status_code, 202)
        return url
