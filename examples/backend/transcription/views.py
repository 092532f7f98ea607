"""The transcription endpoint."""

from dataclasses import asdict

from django.conf import settings
from rest_framework.exceptions import ValidationError
from rest_framework.parsers import MultiPartParser
from rest_framework.response import Response
from rest_framework.views import APIView

from transcription.containers import identify
from transcription.parsers import RawAudioParser, RawBinaryParser, RawVideoParser

FIELDS = ("file", "audio")


class TranscribeAudioView(APIView):
    """Takes audio as a form's ``file`` or ``audio`` field, or as the body itself."""

    parser_classes = [MultiPartParser, RawAudioParser, RawVideoParser, RawBinaryParser]

    def post(self, request):
        """Say what was measured, and that nothing was understood."""
        self._check_size(request)
        data = self._audio(request)
        audio = identify(data)
        if audio is None:
            raise ValidationError({"detail": "This is no audio of a known kind."})
        text = f"[no speech model: received {len(data)} bytes of {audio.container} audio]"
        return Response({"text": text, **asdict(audio), "bytes": len(data)})

    @staticmethod
    def _check_size(request):
        """Refuse before anything is read."""
        if int(request.META.get("CONTENT_LENGTH") or 0) > settings.TRANSCRIBE_MAX_UPLOAD_SIZE:
            limit = settings.TRANSCRIBE_MAX_UPLOAD_SIZE
            raise ValidationError({"detail": f"At most {limit} bytes are allowed."})

    @staticmethod
    def _audio(request) -> bytes:
        """The bytes of the recording, however they were sent."""
        if isinstance(request.data, bytes):
            data = request.data
        else:
            upload = next((request.FILES[name] for name in FIELDS if name in request.FILES), None)
            data = upload.read() if upload else b""
        if not data:
            raise ValidationError({"file": ["No audio was submitted."]})
        return data
