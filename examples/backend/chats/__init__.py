"""Chats with an assistant that echoes: real persistence, no language model."""
