"""The contact form, translation and transcription."""

from __future__ import annotations

from pydantic import BaseModel, SecretStr

from wsgiproxy_hs.setting_faults import variable as _variable
from wsgiproxy_hs.setting_types import HttpUrl, Path


class ServiceSettings(BaseModel):
    """The contact form, translation and transcription."""

    transcribe_path: Path | None = _variable(
        "TRANSCRIBE_PATH", default=None, doc="upstream path of `transcribe-audio`; else `/api/transcribe-audio/`"
    )
    contact_email_from: str | None = _variable(
        "CONTACT_EMAIL_FROM", default=None, doc="sender of the contact form's mails"
    )
    contact_email_to: str | None = _variable(
        "CONTACT_EMAIL_TO", default=None, doc="the one recipient of the contact form's mails"
    )
    sendgrid_api_key: SecretStr | None = _variable(
        "SENDGRID_API_KEY", default=None, doc="key of SendGrid, which sends the contact form's mails"
    )
    sendgrid_url: HttpUrl = _variable("SENDGRID_URL", default="https://api.sendgrid.com", doc="where SendGrid is")
    smtp_url: SecretStr | None = _variable(
        "CONTACT_SMTP_URL", default=None, doc="instead of SendGrid: `smtp://user:password@host:587` or `smtps://...`"
    )
    mail_folder: str | None = _variable(
        "CONTACT_MAIL_FOLDER", default=None, doc="instead of both: a folder for the mails, for demos"
    )
    openai_api_key: SecretStr | None = _variable("OPENAI_API_KEY", default=None, doc="key for translations")
    openai_base_url: HttpUrl = _variable(
        "OPENAI_BASE_URL", default="https://api.openai.com/v1", doc="any OpenAI-compatible service, for translations"
    )
    translate_model: str = _variable("TRANSLATE_MODEL", default="gpt-4o-mini", doc="the model that translates")
