"""Documents and the object store."""

import tempfile
from unittest import mock

from django.test import override_settings

from documents.models import Document
from storage import store
from tests.base import BackendTestCase

NOTES = b"# Notes\n\nThe engine weaves.\n\n## Loom\n\nJacquard cards.\n\fSecond page."


class UploadTest(BackendTestCase):
    def announce(self, **fields):
        body = {"filename": "notes.md", "content_type": "text/markdown", "file_size": len(NOTES), **fields}
        return self.as_ada.post(f"{self.root}/documents/upload/", body)

    def test_announcing_gives_a_place_for_the_bytes(self):
        """The answer names document, key and a presigned URL; the record is pending."""
        response = self.announce(name="Notes")
        self.assertEqual(response.status_code, 201)
        body = response.json()
        self.assertEqual(body["s3_key"], f"documents/{self.workspace.pk}/{body['document_id']}/notes.md")
        document = self.as_grace.get(f"{self.root}/documents/{body['document_id']}/").json()
        self.assertEqual((document["name"], document["processing_status"]), ("Notes", "pending"))

    def test_bad_announcements_are_explained_by_field(self):
        """Kind, size, path and type of a file are checked before anything is stored."""
        cases = {
            "filename": ["virus.exe", "md", "a/b.md", "a\x00.md"],
            "file_size": [0, 50 * 1024 * 1024 + 1, None],
            "content_type": ["text/html"],
            "knowledge_base_ids": [["00000000-0000-4000-8000-000000000000"]],
        }
        for field, values in cases.items():
            for value in values:
                with self.subTest(field=field, value=value):
                    response = self.announce(**{field: value})
                    self.assertEqual((response.status_code, list(response.json())), (400, [field]))
        self.assertFalse(Document.objects.exists())

    def test_the_limits_are_settings(self):
        """Size and kinds of file can be configured."""
        with override_settings(DOCUMENT_MAX_UPLOAD_SIZE=10, DOCUMENT_ALLOWED_EXTENSIONS=["md"]):
            self.assertEqual(list(self.announce().json()), ["file_size"])
            self.assertEqual(list(self.announce(filename="a.txt", file_size=1).json()), ["filename"])

    def test_confirming_needs_bytes(self):
        """Without an upload there is nothing to confirm, to fetch or to link to."""
        url = f"{self.root}/documents/{self.announce().json()['document_id']}/"
        self.assertEqual(self.as_ada.post(f"{url}confirm-upload/").status_code, 400)
        self.assertEqual(self.as_ada.get(f"{url}content/").status_code, 404)
        self.assertEqual(self.as_ada.get(f"{url}download-url/").status_code, 404)

    def test_a_confirmed_upload_is_ingested(self):
        """After the confirmation the status is SUCCESS, and the chunks know page and heading."""
        url = self.upload("notes.md", NOTES, "text/markdown")
        status = self.as_ada.get(f"{url}processing-status/").json()
        self.assertEqual((status["status"], status["chunk_count"]), ("SUCCESS", 3))
        chunks = self.as_ada.get(f"{url}chunks/").json()
        self.assertEqual([chunk["page_number"] for chunk in chunks], [1, 1, 2])
        self.assertEqual([chunk["section_heading"] for chunk in chunks], ["Notes", "Loom", "Loom"])

    def test_long_text_is_cut_and_tables_keep_their_columns(self):
        """No chunk of a text grows beyond its limit, and rows of a table carry the names of their columns."""
        text = self.as_ada.get(self.upload("a.txt", b"word " * 500) + "chunks/").json()
        self.assertGreater(len(text), 2)
        self.assertLessEqual(max(len(chunk["text"]) for chunk in text), 800)
        rows = b"name,born\n" + b"Ada,1815\n" * 25
        table = self.as_ada.get(self.upload("a.csv", rows, "text/csv") + "chunks/").json()
        self.assertEqual([chunk["metadata"]["last_row"] for chunk in table], [20, 25])
        self.assertTrue(table[0]["text"].startswith("name: Ada, born: 1815\n"))

    def test_other_formats_get_one_chunk_about_themselves(self):
        """A format without a reader is described by size and type."""
        chunks = self.as_ada.get(self.upload("a.pdf", b"%PDF-", "application/pdf") + "chunks/").json()
        self.assertEqual(len(chunks), 1)
        self.assertIn("5 bytes of application/pdf", chunks[0]["text"])

    def test_unreadable_text_fails_with_a_reason(self):
        """Bytes that are no text end in FAILURE, and a repeated attempt ends there as well."""
        url = self.upload("bad.txt", b"\xff\xfe\xff")
        self.assertEqual(self.as_ada.post(f"{url}reprocess/").status_code, 202)
        status = self.as_ada.get(f"{url}processing-status/").json()
        self.assertEqual((status["status"], status["processing_status"]), ("FAILURE", "failed"))
        self.assertIn("UTF-8", status["processing_error"])

    def test_broken_and_empty_tables(self):
        """A broken table fails, one without rows is ready and has no chunks."""
        broken = self.upload("a.csv", b'a,b\n"1,2', "text/csv")
        self.assertEqual(self.as_ada.get(f"{broken}processing-status/").json()["status"], "FAILURE")
        empty = self.upload("b.csv", b"\n", "text/csv")
        self.assertEqual(self.as_ada.get(f"{empty}chunks/").json(), [])

    def test_content_and_download_are_the_original_bytes(self):
        """Both ways return what was uploaded, with its type and name."""
        url = self.upload("notes.md", NOTES, "text/markdown")
        content = self.as_grace.get(f"{url}content/")
        self.assertEqual(b"".join(content.streaming_content), NOTES)
        self.assertEqual(content["Content-Type"], "text/markdown")
        link = self.as_grace.get(f"{url}download-url/").json()["download_url"]
        download = self.client.get(link)
        self.assertEqual(b"".join(download.streaming_content), NOTES)
        self.assertIn("notes.md", download["Content-Disposition"])

    def test_uploads_go_into_knowledge_bases(self):
        """A document announced for a knowledge base is in it."""
        base = self.create("knowledge-bases", {"name": "All"})
        created = self.announce(knowledge_base_ids=[base["id"]]).json()
        shown = self.as_ada.get(f"{self.root}/knowledge-bases/{base['id']}/").json()
        self.assertEqual(shown["documents"], [created["document_id"]])


class DocumentTest(BackendTestCase):
    def setUp(self):
        super().setUp()
        self.url = self.upload("notes.md", NOTES)
        self.document = Document.objects.get()

    def test_documents_are_listed(self):
        """Every member sees the documents of the workspace."""
        listed = self.as_grace.get(f"{self.root}/documents/").json()
        self.assertEqual([item["id"] for item in listed], [str(self.document.pk)])

    def test_renaming_is_for_the_uploader_and_the_owner(self):
        """PUT changes name and description; other fields stay, other members may not."""
        changed = self.as_ada.put(self.url, {"description": "On weaving", "file_size": 1}).json()
        self.assertEqual((changed["description"], changed["file_size"]), ("On weaving", len(NOTES)))
        self.assertEqual(self.as_grace.put(self.url, {"name": "X"}).status_code, 403)
        self.assertEqual(self.as_grace.post(f"{self.url}reprocess/").status_code, 403)

    def test_deleting_removes_the_bytes(self):
        """The stored object goes along with the record."""
        with self.captureOnCommitCallbacks(execute=True):
            self.assertEqual(self.as_ada.delete(self.url).status_code, 204)
        self.assertFalse(store.exists(self.document.s3_key))

    def test_deleting_the_workspace_removes_the_bytes(self):
        """No object outlives its workspace."""
        with self.captureOnCommitCallbacks(execute=True):
            self.as_ada.delete(f"{self.root}/")
        self.assertFalse(store.exists(self.document.s3_key))

    def test_urls_are_recorded_but_not_fetched(self):
        """A web page or a video becomes a pending record which says that nothing is fetched."""
        cases = {"https://example.com/a": "web_url", "https://www.youtube.com/watch?v=1": "youtube"}
        for url, source_type in cases.items():
            document = self.create("documents/from-url", {"url": url})
            self.assertEqual((document["source_type"], document["source_url"]), (source_type, url))
            status = self.as_ada.get(f"{self.root}/documents/{document['id']}/processing-status/").json()
            self.assertEqual(status["status"], "PENDING")
            self.assertIn("no network", status["processing_error"])
        response = self.as_ada.post(f"{self.root}/documents/from-url/", {"url": "ftp://example.com/"})
        self.assertEqual((response.status_code, list(response.json())), (400, ["url"]))


class StorageTest(BackendTestCase):
    def setUp(self):
        super().setUp()
        # A store of its own: objects of other tests may lie in the same of the 256 folders.
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        own = override_settings(STORAGE_DIR=folder.name)
        own.enable()
        self.addCleanup(own.disable)
        body = {"filename": "a.txt", "content_type": "text/plain", "file_size": 5}
        self.created = self.create("documents/upload", body)
        self.url = self.created["upload_url"]

    def put(self, url=None, data=b"bytes", content_type="text/plain"):
        return self.client.put(url or self.url, data, content_type=content_type)

    def test_only_the_signed_request_is_permitted(self):
        """Another key, method or type, a changed or a missing signature: all are answered with 403."""
        other_key = self.url.replace("a.txt", "b.txt")
        for response in (
            self.put(other_key),
            self.put(self.url[:-1]),
            self.put(self.url.split("?")[0]),
            self.put(content_type="text/html"),
            self.client.get(self.url),
        ):
            self.assertEqual((response.status_code, list(response.json())), (403, ["detail"]))
        self.assertFalse(store.exists(self.created["s3_key"]))

    def test_urls_expire(self):
        """A URL that is too old is refused."""
        with override_settings(STORAGE_URL_SECONDS=-1):
            response = self.put()
        self.assertEqual((response.status_code, response.json()["detail"]), (403, "The URL has expired."))

    def test_the_size_has_to_match(self):
        """More or fewer bytes than declared are refused and leave nothing behind."""
        for data in (b"byte", b"bytes!"):
            self.assertEqual(self.put(data=data).status_code, 400)
        folder = store.path_of(self.created["s3_key"]).parent
        self.assertEqual(list(folder.iterdir()), [])

    def test_a_broken_upload_leaves_nothing_behind(self):
        """When the client goes away in the middle, no partial file stays."""
        stream = mock.Mock()
        stream.read.side_effect = [b"by", OSError("gone")]
        with self.assertRaises(OSError):
            store.write("key", stream, 5)
        self.assertEqual(list(store.path_of("key").parent.iterdir()), [])

    def test_browsers_may_upload_from_other_origins(self):
        """The preflight request is answered, and so is the upload, for any origin."""
        for response in (self.client.options(self.url), self.put()):
            self.assertLess(response.status_code, 300)
            self.assertEqual(response["Access-Control-Allow-Origin"], "*")

    def test_the_public_address_is_a_setting(self):
        """URLs can point to where browsers reach the store."""
        with override_settings(STORAGE_PUBLIC_URL="https://files.example.com"):
            body = {"filename": "a.txt", "file_size": 5}
            url = self.create("documents/upload", body)["upload_url"]
        self.assertTrue(url.startswith("https://files.example.com/storage/objects/documents/"))

    def test_a_missing_object_is_not_found(self):
        """A permitted download of deleted bytes is answered with 404."""
        self.put()
        url = f"{self.root}/documents/{self.created['document_id']}/download-url/"
        link = self.as_ada.get(url).json()["download_url"]
        store.delete(self.created["s3_key"])
        self.assertEqual(self.client.get(link).status_code, 404)
