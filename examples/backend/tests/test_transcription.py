"""Transcription: what is measured, and what is refused."""

import io
import struct
import wave

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import SimpleTestCase, override_settings

from tests.base import BackendTestCase
from transcription.containers import Audio, identify


def wav(seconds=1.5, rate=8000, channels=2) -> bytes:
    """Silence."""
    target = io.BytesIO()
    with wave.open(target, "wb") as sound:
        sound.setnchannels(channels)
        sound.setsampwidth(2)
        sound.setframerate(rate)
        sound.writeframes(bytes(int(seconds * rate) * channels * 2))
    return target.getvalue()


def flac(rate=44_100, channels=2, samples=88_200) -> bytes:
    """The beginning of a FLAC file."""
    packed = rate << 44 | (channels - 1) << 41 | 15 << 36 | samples
    return b"fLaC\x80\x00\x00\x22" + bytes(10) + struct.pack(">Q", packed) + bytes(16)


def ogg(head: bytes, samples: int) -> bytes:
    """An Ogg file of two pages."""
    first = b"OggS\x00\x02" + bytes(20) + b"\x01" + bytes([len(head)]) + head
    return first + b"OggS\x00\x04" + struct.pack("<Q", samples) + bytes(13)


OPUS = ogg(b"OpusHead\x01\x01" + struct.pack("<HI", 312, 44_100) + bytes(3), 96_312)
VORBIS = ogg(b"\x01vorbis" + bytes(4) + struct.pack("<BI", 2, 32_000) + bytes(14), 32_000)
WEBM = b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x84webm" + bytes(20)
MP4 = struct.pack(">I", 24) + b"ftypM4A " + bytes(12)
MP3_FRAME = b"\xff\xfb\x90\xc0" + bytes(413)
ID3 = b"ID3\x04\x00\x00\x00\x00\x00\x05hello"


class ContainerTest(SimpleTestCase):
    def test_containers_are_recognised_and_measured(self):
        """Each known container is named, with what its headers tell."""
        cases = {
            "wav": (wav(), Audio("wav", 1.5, 8000, 2)),
            "flac": (flac(), Audio("flac", 2.0, 44_100, 2)),
            "opus": (OPUS, Audio("ogg", 2.0, 48_000, 1)),
            "vorbis": (VORBIS, Audio("ogg", 1.0, 32_000, 2)),
            "other ogg": (ogg(b"Speex   ", 0), Audio("ogg")),
            "webm": (WEBM, Audio("webm")),
            "mp4": (MP4, Audio("mp4")),
            "mp3": (MP3_FRAME * 2, Audio("mp3", None, 44_100, 1)),
            "mp3 with tag": (ID3 + MP3_FRAME, Audio("mp3", None, 44_100, 1)),
        }
        for name, (data, expected) in cases.items():
            with self.subTest(name):
                self.assertEqual(identify(data), expected)

    def test_garbage_is_nothing(self):
        """Text, noise and files that end inside their header are not recognised."""
        cases = [b"", b"hello", b"\xff" * 4000, MP3_FRAME + b"noise", b"\x1a\x45\xdf\xa3", wav()[:30]]
        for data in (*cases, flac()[:20], OPUS[:20], MP4[:10], b"\x00\x00\x00\x00ftyp"):
            with self.subTest(data[:20]):
                self.assertIsNone(identify(data))

    def test_a_false_length_in_the_header_is_not_believed(self):
        """Frames are counted, not taken from the header."""
        data = bytearray(wav(seconds=1))
        data[40:44] = b"\xf0\xff\xff\xff"
        self.assertEqual(identify(bytes(data)).duration_seconds, 1.0)


class TranscribeTest(BackendTestCase):
    URL = "/api/transcribe-audio/"

    def test_a_form_and_a_bare_body_are_the_same(self):
        """Both field names and the raw body give the measured values and say that there is no model."""
        data = wav()
        answers = [
            self.as_ada.post(self.URL, {name: SimpleUploadedFile("a.wav", data)}, format="multipart")
            for name in ("file", "audio")
        ]
        answers += [
            self.as_ada.post(self.URL, data, content_type=kind)
            for kind in ("audio/wav", "application/octet-stream", "video/webm")
        ]
        for response in answers:
            self.assertEqual(response.status_code, 200, response.content)
            body = response.json()
            self.assertIn("no speech model", body.pop("text"))
            expected = {"container": "wav", "duration_seconds": 1.5, "sample_rate": 8000, "channels": 2}
            self.assertEqual(body, {**expected, "bytes": len(data)})

    def test_no_audio_is_refused(self):
        """A missing field, an empty body, garbage and JSON are refused."""
        for response, code in (
            (self.as_ada.post(self.URL, {"other": "x"}, format="multipart"), 400),
            (self.as_ada.post(self.URL, b"", content_type="audio/wav"), 400),
            (self.as_ada.post(self.URL, b"garbage", content_type="audio/wav"), 400),
            (self.as_ada.post(self.URL, {"file": "x"}), 415),
            (self.client.post(self.URL, wav(), content_type="audio/wav"), 403),
        ):
            self.assertEqual(response.status_code, code)

    def test_the_size_is_limited(self):
        """Too much audio is refused before it is read."""
        with override_settings(TRANSCRIBE_MAX_UPLOAD_SIZE=100):
            response = self.as_ada.post(self.URL, wav(), content_type="audio/wav")
        self.assertEqual((response.status_code, list(response.json())), (400, ["detail"]))
