"""The echo assistant: what it answers depends on nothing but the question and the attached documents."""

import re
from dataclasses import dataclass, field

from chats.models import Message
from documents.models import DocumentChunk

WORD = re.compile(r"\w{4,}")


@dataclass(frozen=True)
class Answer:
    """An answer, and the calls of tools that led to it."""

    content: str
    tool_calls: list[dict] = field(default_factory=list)


def compose(question: Message) -> Answer:
    """Echo the question, and quote the best passage of the chat's knowledge bases."""
    take = f" (take {question.attempts})" if question.attempts > 1 else ""
    echo = f"Echo{take}: {question.content}"
    chunk = best_passage(question)
    if chunk is None:
        return Answer(echo)
    call = {"id": "call_1", "name": "search_knowledge_base", "args": {"query": question.content}}
    return Answer(f"{echo}\n\nFrom {chunk.document.name}: {chunk.text}", [call])


def best_passage(question: Message) -> DocumentChunk | None:
    """The chunk which shares most words with the question; the first of equals."""
    asked = words(question.content)
    chunks = (
        DocumentChunk.objects.filter(document__knowledge_bases__chats=question.session)
        .select_related("document")
        .order_by("document__created_at", "document_id", "index")
    )
    best = max(chunks, key=lambda chunk: len(asked & words(chunk.text)), default=None)
    return best if best is not None and asked & words(best.text) else None


def words(text: str) -> set[str]:
    """The words worth searching for: short ones match everything."""
    return {word.lower() for word in WORD.findall(text)}
