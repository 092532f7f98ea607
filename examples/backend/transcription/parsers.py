"""Request parsers for audio that is sent as the whole body."""

from rest_framework.parsers import BaseParser


class RawAudioParser(BaseParser):
    """Hands over the body as it is."""

    media_type = "audio/*"

    def parse(self, stream, media_type=None, parser_context=None) -> bytes:
        """Read the body; the view has checked its size."""
        return stream.read()


class RawVideoParser(RawAudioParser):
    """Browsers call some recordings without pictures ``video/webm``."""

    media_type = "video/*"


class RawBinaryParser(RawAudioParser):
    """For clients that do not know the type."""

    media_type = "application/octet-stream"
