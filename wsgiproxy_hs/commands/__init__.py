"""One module a command; each adds its parser and runs."""
