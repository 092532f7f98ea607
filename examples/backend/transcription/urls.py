"""Routes of transcription."""

from django.urls import path

from transcription.views import TranscribeAudioView

urlpatterns = [path("transcribe-audio/", TranscribeAudioView.as_view(), name="transcribe-audio")]
