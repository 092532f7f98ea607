"""Knowledge bases."""

from tests.base import BackendTestCase


class KnowledgeBaseTest(BackendTestCase):
    def setUp(self):
        super().setUp()
        self.base = self.create("knowledge-bases", {"name": "Engine", "description": "All about it"})
        self.url = f"{self.root}/knowledge-bases/{self.base['id']}/"

    def test_a_knowledge_base_is_private_until_shared(self):
        """Other members see it only when it is shared with the workspace, and even then only read it."""
        self.assertEqual(self.as_grace.get(self.url).status_code, 404)
        shared = self.as_ada.put(self.url, {"is_shared_with_workspace": True}).json()
        self.assertEqual((shared["name"], shared["created_by"]), ("Engine", self.ada.pk))
        self.assertEqual(len(self.as_grace.get(f"{self.root}/knowledge-bases/").json()), 1)
        self.assertEqual(self.as_grace.put(self.url, {"name": "X"}).status_code, 403)
        self.assertEqual(self.as_grace.delete(self.url).status_code, 403)

    def test_names_are_limited(self):
        """A name is required and has at most 200 characters."""
        for body in ({}, {"name": "x" * 201}):
            response = self.as_ada.post(f"{self.root}/knowledge-bases/", body)
            self.assertEqual((response.status_code, list(response.json())), (400, ["name"]))

    def test_documents_are_linked_and_unlinked(self):
        """Adding and removing changes the links only; the document stays."""
        document = self.create("documents/from-url", {"url": "https://example.com/"})
        body = {"document_ids": [document["id"]]}
        added = self.as_ada.post(f"{self.url}add-documents/", body)
        self.assertEqual((added.status_code, added.json()["documents"]), (200, [document["id"]]))
        self.assertEqual(self.as_ada.get(f"{self.url}documents/").json()[0]["id"], document["id"])
        removed = self.as_ada.post(f"{self.url}remove-documents/", body)
        self.assertEqual(removed.json()["documents"], [])
        self.assertEqual(len(self.as_ada.get(f"{self.root}/documents/").json()), 1)

    def test_unknown_documents_are_refused(self):
        """Ids that are no documents of the workspace, and empty lists, are refused by field."""
        for ids in ([], ["00000000-0000-4000-8000-000000000000"], ["x"]):
            response = self.as_ada.post(f"{self.url}add-documents/", {"document_ids": ids})
            self.assertEqual((response.status_code, list(response.json())), (400, ["document_ids"]))

    def test_deleting(self):
        """The creator deletes it."""
        self.assertEqual(self.as_ada.delete(self.url).status_code, 204)
        self.assertEqual(self.as_ada.get(self.url).status_code, 404)
