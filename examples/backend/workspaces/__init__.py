"""Workspaces and their members: everything else belongs to a workspace."""
