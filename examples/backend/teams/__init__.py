"""Teams: groups of members inside a workspace."""
