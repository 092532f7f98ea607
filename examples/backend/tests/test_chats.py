"""Chats and messages."""

import json

from django.test import override_settings

from tests.base import BackendTestCase

SSE = {"Accept": "text/event-stream, application/json"}


class ChatTestCase(BackendTestCase):
    def setUp(self):
        super().setUp()
        self.chat = self.create("chats", {"name": "First", "temperature": "0.7"})
        self.url = f"{self.root}/chats/{self.chat['id']}/"

    def say(self, content="Hello", client=None, **fields):
        return (client or self.as_ada).post(f"{self.url}messages/", {"content": content, **fields})


class ChatTest(ChatTestCase):
    def test_a_new_chat_has_defaults(self):
        """Only what the body names differs from the defaults; decimals are strings."""
        self.assertEqual(self.chat["temperature"], "0.70")
        self.assertEqual((self.chat["status"], self.chat["agent_framework"]), ("active", "langgraph"))
        self.assertEqual((self.chat["is_public"], self.chat["is_shared"]), (False, False))
        self.assertEqual(self.create("chats", {})["name"], None)

    def test_settings_have_limits(self):
        """Numbers out of range, unknown providers and wrong types are refused by field."""
        cases = {
            "temperature": 2.1,
            "top_p": -0.1,
            "frequency_penalty": -3,
            "max_tokens": 0,
            "ai_provider": "nobody",
            "agent_framework": "x",
            "status": "x",
            "model_parameters": [],
            "name": "x" * 256,
        }
        for field, value in cases.items():
            with self.subTest(field):
                response = self.as_ada.post(f"{self.root}/chats/", {field: value})
                self.assertEqual((response.status_code, list(response.json())), (400, [field]))

    def test_chats_are_private(self):
        """Another member of the workspace neither sees nor opens a chat."""
        self.assertEqual(self.as_grace.get(f"{self.root}/chats/").json(), [])
        self.assertEqual(self.as_grace.get(self.url).status_code, 404)
        self.assertEqual(self.say(client=self.as_grace).status_code, 404)

    def test_changing_and_deleting(self):
        """PUT changes what it names, DELETE removes the chat."""
        changed = self.as_ada.put(self.url, {"status": "archived"}).json()
        self.assertEqual((changed["status"], changed["name"]), ("archived", "First"))
        self.assertEqual(self.as_ada.delete(self.url).status_code, 204)
        self.assertEqual(self.as_ada.get(self.url).status_code, 404)

    def test_toggling_opens_and_closes_the_public_link(self):
        """The link works for anybody while the chat is public."""
        self.say()
        link = f"/api/chats/public/{self.chat['shareable_link_id']}/"
        self.assertEqual(self.client.get(link).status_code, 404)
        self.assertIs(self.as_ada.post(f"{self.url}toggle-public/").json()["is_public"], True)
        self.assertEqual(len(self.client.get(link).json()["messages"]), 2)
        self.as_ada.post(f"{self.url}toggle-public/")
        self.assertEqual(self.client.get(link).status_code, 404)

    def test_sharing_lets_a_member_take_part(self):
        """A chat shared by e-mail or by id can be read and written in, but not changed."""
        shared = self.as_ada.post(f"{self.url}share/", {"email": "Grace@example.com"})
        self.assertEqual((shared.status_code, shared.json()["user"]["id"]), (201, self.grace.pk))
        again = self.as_ada.post(f"{self.url}share/", {"user_id": self.grace.pk})
        self.assertEqual(again.status_code, 200)
        self.assertIs(self.as_grace.get(self.url).json()["is_shared"], True)
        self.assertEqual(self.say(client=self.as_grace).status_code, 201)
        for response in (
            self.as_grace.put(self.url, {"name": "X"}),
            self.as_grace.post(f"{self.url}share/", {"user_id": self.grace.pk}),
            self.as_grace.post(f"{self.url}toggle-public/"),
        ):
            self.assertEqual(response.status_code, 403)

    def test_sharing_with_nobody(self):
        """Who is no member of the workspace is not found; naming nobody or two people is refused."""
        for body, code in (
            ({"email": "eve@example.com"}, 404),
            ({"user_id": 0}, 404),
            ({}, 400),
            ({"email": "grace@example.com", "user_id": 1}, 400),
        ):
            with self.subTest(body):
                self.assertEqual(self.as_ada.post(f"{self.url}share/", body).status_code, code)

    def test_sharing_can_be_undone(self):
        """Shares are listed, and a revoked one closes the chat for that member."""
        self.as_ada.post(f"{self.url}share/", {"user_id": self.grace.pk})
        self.assertEqual(len(self.as_ada.get(f"{self.url}shares/").json()), 1)
        body = {"email": "grace@example.com"}
        self.assertEqual(self.as_ada.post(f"{self.url}revoke-share/", body).status_code, 204)
        self.assertEqual(self.as_grace.get(self.url).status_code, 404)

    def test_knowledge_bases_are_attached_and_detached(self):
        """Both bodies work, and each action answers with what is attached."""
        ids = [self.create("knowledge-bases", {"name": name})["id"] for name in ("A", "B")]
        attached = self.as_ada.post(f"{self.url}knowledge-bases/attach/", {"knowledge_base_ids": ids})
        self.assertEqual([item["id"] for item in attached.json()], ids)
        detached = self.as_ada.post(f"{self.url}knowledge-bases/detach/", {"knowledge_base_id": ids[0]})
        self.assertEqual([item["id"] for item in detached.json()], ids[1:])
        self.assertEqual(self.as_ada.get(f"{self.url}knowledge-bases/").json(), detached.json())
        self.assertEqual(self.as_ada.get(self.url).json()["knowledge_bases"], ids[1:])

    def test_unknown_knowledge_bases_are_refused(self):
        """Foreign ids and an empty body are refused by field."""
        foreign = self.create("knowledge-bases", {"name": "Private"}, self.as_grace)["id"]
        for body in ({}, {"knowledge_base_ids": []}, {"knowledge_base_id": foreign}):
            response = self.as_ada.post(f"{self.url}knowledge-bases/attach/", body)
            self.assertEqual((response.status_code, list(response.json())), (400, ["knowledge_base_ids"]))


class MessageTest(ChatTestCase):
    def test_a_message_is_answered_at_once(self):
        """The answer holds the saved message and the assistant's echo, which are the history from then on."""
        response = self.say(role="user")
        self.assertEqual(response.status_code, 201)
        question, answers = response.json()["user_message"], response.json()["ai_messages"]
        self.assertEqual((question["role"], question["sequence_number"]), ("user", 1))
        self.assertEqual([answer["content"] for answer in answers], ["Echo: Hello"])
        self.assertEqual(answers[0]["parent_message"], question["id"])
        self.assertEqual(self.as_ada.get(f"{self.url}messages/").json(), [question, *answers])

    def test_bad_messages_are_refused(self):
        """An empty or oversized text and a role other than the user's are refused by field."""
        for field, body in (
            ("content", {}),
            ("content", {"content": ""}),
            ("content", {"content": "x" * 100_001}),
            ("role", {"content": "x", "role": "system"}),
        ):
            response = self.as_ada.post(f"{self.url}messages/", body)
            self.assertEqual((response.status_code, list(response.json())), (400, [field]))

    def test_the_assistant_searches_attached_knowledge(self):
        """The best passage of an attached knowledge base is quoted, with the call that found it."""
        base = self.create("knowledge-bases", {"name": "All"})
        self.upload("notes.txt", b"Looms weave flowers.", knowledge_base_ids=[base["id"]])
        self.as_ada.post(f"{self.url}knowledge-bases/attach/", {"knowledge_base_id": base["id"]})
        answer = self.say("What do looms weave?").json()["ai_messages"][0]
        self.assertIn("From notes.txt: Looms weave flowers.", answer["content"])
        self.assertEqual(answer["tool_calls"][0]["name"], "search_knowledge_base")
        self.assertEqual(self.say("Nothing known").json()["ai_messages"][0]["tool_calls"], [])

    def test_regenerating_replaces_the_last_answer(self):
        """Without a body the last question is answered anew, and the answer tells it is the second."""
        self.say()
        response = self.as_ada.post(f"{self.url}messages/regenerate/")
        self.assertEqual(response.status_code, 200)
        self.assertEqual(response.json()["ai_messages"][0]["content"], "Echo (take 2): Hello")
        self.assertEqual(len(self.as_ada.get(f"{self.url}messages/").json()), 2)

    def test_regenerating_from_an_edited_message(self):
        """A reworded earlier question drops everything after it."""
        first = self.say("One").json()["user_message"]
        self.say("Two")
        body = {"message_id": first["id"], "content": "Uno"}
        self.as_ada.post(f"{self.url}messages/regenerate/", body)
        history = [message["content"] for message in self.as_ada.get(f"{self.url}messages/").json()]
        self.assertEqual(history, ["Uno", "Echo (take 2): Uno"])

    def test_regenerating_needs_a_question(self):
        """An empty chat has nothing to answer."""
        response = self.as_ada.post(f"{self.url}messages/regenerate/")
        self.assertEqual((response.status_code, list(response.json())), (400, ["message_id"]))

    def test_messages_can_be_deleted(self):
        """A message goes together with its answers."""
        question = self.say().json()["user_message"]
        url = f"{self.url}messages/{question['id']}/"
        self.assertEqual(self.as_ada.get(url).json(), question)
        self.assertEqual(self.as_ada.delete(url).status_code, 204)
        self.assertEqual(self.as_ada.get(f"{self.url}messages/").json(), [])


class AsynchronousTest(ChatTestCase):
    def test_an_answer_can_be_polled_for(self):
        """In asynchronous mode a task is processing until its time has come, and then brings the answer."""
        with override_settings(AGENT_ASYNC_ENABLED=True, AGENT_TASK_SECONDS=60):
            response = self.say()
        self.assertEqual((response.status_code, response.json()["status"]), (202, "processing"))
        url = f"{self.url}messages/agent-task-status/{response.json()['task_id']}/"
        self.assertEqual(self.as_ada.get(url).json()["status"], "processing")
        self.hurry()
        for _ in range(2):
            done = self.as_ada.get(url).json()
            self.assertEqual(done["status"], "completed")
            self.assertEqual([item["content"] for item in done["ai_messages"]], ["Echo: Hello"])

    def test_history_brings_due_answers_as_well(self):
        """Nobody has to poll for an answer to appear, and regenerating does not double it."""
        with override_settings(AGENT_ASYNC_ENABLED=True, AGENT_TASK_SECONDS=60):
            self.say()
            self.as_ada.post(f"{self.url}messages/regenerate/")
        self.hurry()
        self.assertEqual(len(self.as_ada.get(f"{self.url}messages/").json()), 2)

    def hurry(self):
        """Let the time of every promised answer come."""
        for task in self.ada.chats.get().tasks.all():
            task.due_at = task.created_at
            task.save()


class StreamTest(ChatTestCase):
    def stream(self, path="messages", **body):
        response = self.as_ada.post(f"{self.url}{path}/", body, headers=SSE)
        self.assertEqual(response["Content-Type"], "text/event-stream")
        blocks = b"".join(response.streaming_content).decode().strip().split("\n\n")
        return [(name[7:], json.loads(data[6:])) for name, data in (block.split("\n") for block in blocks)]

    def test_an_answer_streams_in_pieces(self):
        """The stream tells the question, the pieces of the answer in order, and the whole exchange."""
        events = self.stream(content="Tell me more", stream=True)
        names = [name for name, _ in events]
        self.assertEqual(names, ["user_message", *["delta"] * 5, "done"])
        text = "".join(data["text"] for name, data in events if name == "delta")
        self.assertEqual(text, events[-1][1]["ai_messages"][0]["content"])

    def test_the_chat_may_ask_for_streams(self):
        """A chat set to streaming streams its answers and their repetitions."""
        self.as_ada.put(self.url, {"stream": True})
        self.assertEqual(self.stream(content="Hello")[-1][0], "done")
        self.assertEqual(self.stream("messages/regenerate")[-1][0], "done")

    def test_both_sides_have_to_want_a_stream(self):
        """Without the request's or the client's consent the answer is JSON, and so are errors."""
        asked = self.as_ada.post(f"{self.url}messages/", {"content": "x", "stream": True})
        offered = self.as_ada.post(f"{self.url}messages/", {"content": "x"}, headers=SSE)
        wrong = self.as_ada.post(
            f"{self.url}messages/", {"stream": True}, headers={"Accept": "text/event-stream"}
        )
        for response, code in ((asked, 201), (offered, 201), (wrong, 400)):
            self.assertEqual((response.status_code, response["Content-Type"]), (code, "application/json"))
