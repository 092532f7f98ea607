"""Invitations into workspaces and teams."""
