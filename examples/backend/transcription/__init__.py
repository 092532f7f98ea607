"""Transcription without a speech model: the audio is measured, not understood."""
