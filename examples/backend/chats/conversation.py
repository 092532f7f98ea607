"""What happens in a chat: asking, answering at once or later, and answering again."""

from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from chats.assistant import compose
from chats.models import AgentTask, Chat, Message


def ask(chat: Chat, user, content: str) -> Message:
    """Record the user's message."""
    return chat.add_message(user=user, role=Message.Role.USER, content=content)


def answer(question: Message) -> None:
    """Let the assistant answer; the answers are the question's ``answers``."""
    question.attempts += 1
    question.save(update_fields=["attempts", "updated_at"])
    reply = compose(question)
    question.session.add_message(
        parent_message=question,
        role=Message.Role.ASSISTANT,
        content=reply.content,
        tool_calls=reply.tool_calls,
    )


def rewind(question: Message, content: str | None) -> None:
    """Forget everything after the question, and replace its text if there is a new one."""
    later = question.session.messages.filter(sequence_number__gt=question.sequence_number)
    later.delete()
    question.tasks.filter(is_finished=False).delete()
    if content is not None:
        question.content = content
        question.save(update_fields=["content", "updated_at"])


def answer_later(question: Message) -> AgentTask:
    """Promise an answer.

    There is no worker process: the answer is written by the first request that looks for it when it is due.
    """
    due_at = timezone.now() + timedelta(seconds=settings.AGENT_TASK_SECONDS)
    return AgentTask.objects.create(chat=question.session, question=question, due_at=due_at)


def finish_due_tasks(chat: Chat) -> None:
    """Write the promised answers whose time has come."""
    for task in chat.tasks.filter(is_finished=False).select_related("question__session"):
        if task.is_due:
            answer(task.question)
            task.is_finished = True
            task.save(update_fields=["is_finished", "updated_at"])
