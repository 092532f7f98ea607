"""Recognising audio containers, and measuring those whose headers say enough.

Each reader gets the whole file and returns what it found, or None when the file is of another kind.
"""

import io
import struct
import wave
from collections.abc import Callable
from dataclasses import dataclass

OPUS_RATE = 48_000
# Bits per second of MPEG layer III by the index in the frame header, in thousands.
MPEG1_KBPS = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
MPEG2_KBPS = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
MPEG_RATES = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}


@dataclass(frozen=True)
class Audio:
    """What a file's headers tell; None where they do not."""

    container: str
    duration_seconds: float | None = None
    sample_rate: int | None = None
    channels: int | None = None


def identify(data: bytes) -> Audio | None:
    """The first reader that knows the file."""
    for reader in READERS:
        try:
            audio = reader(data)
        except (struct.error, IndexError):
            audio = None  # The file ends inside the header.
        if audio is not None:
            return audio
    return None


def read_wav(data: bytes) -> Audio | None:
    """RIFF/WAVE. Frames are counted, because recorders that stream write a wrong length into the header."""
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        return None
    try:
        with wave.open(io.BytesIO(data)) as sound:
            rate, channels, width = sound.getframerate(), sound.getnchannels(), sound.getsampwidth()
            frames = len(sound.readframes(sound.getnframes())) // (channels * width)
    except (wave.Error, EOFError):
        return None
    return Audio("wav", round(frames / rate, 3), rate, channels) if rate else None


def read_flac(data: bytes) -> Audio | None:
    """FLAC: its first metadata block packs rate, channels and sample count into eight bytes."""
    if data[:4] != b"fLaC" or data[4] & 0x7F:
        return None
    (packed,) = struct.unpack_from(">Q", data, 18)
    rate, channels, samples = packed >> 44, (packed >> 41 & 0x7) + 1, packed & 0xF_FFFF_FFFF
    return Audio("flac", round(samples / rate, 3), rate, channels) if rate else None


def read_ogg(data: bytes) -> Audio | None:
    """Ogg: the first packet names the codec, the last page the number of samples."""
    if data[:5] != b"OggS\x00":
        return None
    head = data[27 + data[26] :]
    (samples,) = struct.unpack_from("<Q", data, data.rfind(b"OggS") + 6)
    if head[:8] == b"OpusHead":
        channels, skipped = struct.unpack_from("<BH", head, 9)
        return Audio("ogg", round(max(0, samples - skipped) / OPUS_RATE, 3), OPUS_RATE, channels)
    if head[:7] == b"\x01vorbis":
        channels, rate = struct.unpack_from("<BI", head, 11)
        return Audio("ogg", round(samples / rate, 3), rate, channels) if rate else None
    return Audio("ogg")


def read_webm(data: bytes) -> Audio | None:
    """WebM and Matroska: the EBML header names the document type."""
    if data[:4] != b"\x1a\x45\xdf\xa3":
        return None
    position = data.find(b"\x42\x82", 4, 64)
    if position < 0:
        return None
    length = data[position + 2] & 0x7F
    kind = data[position + 3 : position + 3 + length].rstrip(b"\x00")
    return Audio(kind.decode()) if kind in (b"webm", b"matroska") else None


def read_mp4(data: bytes) -> Audio | None:
    """MP4 and M4A: the file begins with a box called ``ftyp``."""
    (size,) = struct.unpack_from(">I", data)
    return Audio("mp4") if data[4:8] == b"ftyp" and 16 <= size <= len(data) else None


def read_mp3(data: bytes) -> Audio | None:
    """MP3, with or without an ID3 tag. Two bytes are a weak signature, so a second frame has to follow."""
    start = _after_id3(data)
    first = _mp3_frame(data, start)
    if first is None:
        return None
    length, rate, channels = first
    following = start + length
    if following < len(data) and _mp3_frame(data, following) is None:
        return None
    return Audio("mp3", None, rate, channels)


def _after_id3(data: bytes) -> int:
    """Where the sound begins; a tag's size has seven bits per byte."""
    if data[:3] != b"ID3":
        return 0
    return 10 + sum(byte << shift for byte, shift in zip(data[6:10], (21, 14, 7, 0), strict=True))


def _mp3_frame(data: bytes, start: int) -> tuple[int, int, int] | None:
    """Length, sample rate and channels of the layer III frame at this place."""
    (header,) = struct.unpack_from(">I", data, start)
    version, layer = header >> 19 & 3, header >> 17 & 3
    bits, rates, padding = header >> 12 & 15, header >> 10 & 3, header >> 9 & 1
    if header >> 21 != 0x7FF or version == 1 or layer != 1 or bits in (0, 15) or rates == 3:
        return None
    rate = MPEG_RATES[version][rates]
    kbps, slots = (MPEG1_KBPS[bits], 144) if version == 3 else (MPEG2_KBPS[bits], 72)
    return slots * kbps * 1000 // rate + padding, rate, 1 if header >> 6 & 3 == 3 else 2


READERS: tuple[Callable[[bytes], Audio | None], ...] = (
    read_wav,
    read_flac,
    read_ogg,
    read_webm,
    read_mp4,
    read_mp3,
)
