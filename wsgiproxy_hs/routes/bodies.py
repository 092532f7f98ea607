"""The documented request bodies.

Each model refuses only what the backend surely refuses: fields that nobody documented are allowed, decimals may be
numbers or numeric strings (Django REST framework writes them as strings), and what a PUT leaves out stays as it is.
Nothing is converted: a model judges the bytes that were received, and those bytes are sent.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints


def _email(value: str) -> str:
    """One ``@`` with something on both sides and no blanks: Django decides the rest."""
    name, at, host = value.strip().partition("@")
    if not (name and at and host) or "@" in host or any(c.isspace() for c in name + host):
        raise ValueError("Enter a valid email address.")
    return value


def _between(low: float, high: float) -> AfterValidator:
    """A number, or a string that holds one, within the bounds."""

    def check(value: Any) -> Any:
        try:
            if isinstance(value, bool):
                raise TypeError
            number = float(value)
        except (TypeError, ValueError, OverflowError):
            raise ValueError("A valid number is required.") from None
        if not low <= number <= high:
            raise ValueError(f"Ensure this value is between {low} and {high}.")
        return value

    return AfterValidator(check)


Email = Annotated[str, StringConstraints(max_length=254), AfterValidator(_email)]
Name = Annotated[str, StringConstraints(max_length=255)]
Temperature = Annotated[Any, _between(0.0, 2.0)]
Probability = Annotated[Any, _between(0.0, 1.0)]
Penalty = Annotated[Any, _between(-2.0, 2.0)]
PositiveInteger = Annotated[int, Field(ge=1)]


class Document(BaseModel):
    """A JSON object: strict types, further fields allowed."""

    model_config = ConfigDict(strict=True, extra="allow")


class Registration(Document):
    email: Email
    password: str
    re_password: str
    name: Name | None = None


class Activation(Document):
    uid: str
    token: str


class EmailOnly(Document):
    email: Email


class PasswordReset(Document):
    """The repeated password is required only where the backend is set so; it is documented as sent."""

    uid: str
    token: str
    new_password: str
    re_new_password: str | None = None


class Invitation(Document):
    email: Email
    role: str | None = None


class Chat(Document):
    """A chat to be made or changed: which of the fields a new one needs is the backend's to say."""

    name: Name | None = None
    status: Literal["active", "completed", "archived"] | None = None
    agent_framework: Literal["none", "langgraph", "pydantic_ai"] | None = None
    system_prompt: str | None = None
    temperature: Temperature | None = None
    max_tokens: PositiveInteger | None = None
    top_p: Probability | None = None
    frequency_penalty: Penalty | None = None
    presence_penalty: Penalty | None = None
    stream: bool | None = None
    model_parameters: dict[str, Any] | None = None
    is_public: bool | None = None
    ai_provider: Literal["openai", "anthropic", "google", "groq", "deepseek"] | None = None
    ai_model: Annotated[str, StringConstraints(max_length=100)] | None = None


class Message(Document):
    role: Literal["user", "assistant", "system", "tool"] | None = None
    content: str


class DocumentUpload(Document):
    filename: Annotated[str, StringConstraints(max_length=500, min_length=1)]
    content_type: Annotated[str, StringConstraints(max_length=100)] | None = None
    file_size: Annotated[int, Field(ge=1)] | None = None
    name: Annotated[str, StringConstraints(max_length=500)] | None = None
    description: str | None = None
    knowledge_base_ids: list[UUID] | None = None


class DocumentChange(Document):
    name: Annotated[str, StringConstraints(max_length=500)] | None = None


class KnowledgeBase(Document):
    name: Annotated[str, StringConstraints(max_length=200, min_length=1)]
    description: str | None = None
    is_shared_with_workspace: bool | None = None


class KnowledgeBaseChange(KnowledgeBase):
    name: Annotated[str, StringConstraints(max_length=200, min_length=1)] | None = None  # type: ignore[assignment]


class DocumentIds(Document):
    document_ids: list[UUID]


class Checkout(Document):
    price_id: Annotated[str, StringConstraints(max_length=256)]
    workspace_id: UUID


def _one_line(value: str) -> str:
    """What becomes a header of a mail holds no line end (F160)."""
    if any(ord(character) < 32 or ord(character) == 127 for character in value):
        raise ValueError("Line breaks and control characters are not allowed here.")
    return value


OneLine = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(_one_line)]


class Contact(Document):
    """The contact form."""

    name: OneLine
    email: Annotated[str, StringConstraints(max_length=254), AfterValidator(_one_line), AfterValidator(_email)]
    subject: OneLine
    message: Annotated[str, StringConstraints(min_length=1, max_length=10_000)]


class Translation(Document):
    """A text to translate; languages by name or tag: ``German``, ``pt-BR``."""

    text: Annotated[str, StringConstraints(min_length=1, max_length=20_000)]
    target_language: Annotated[str, StringConstraints(min_length=2, max_length=64), AfterValidator(_one_line)]
    source_language: Annotated[str, StringConstraints(max_length=64), AfterValidator(_one_line)] | None = None
