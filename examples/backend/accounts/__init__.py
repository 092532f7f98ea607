"""The user model: people are known by their e-mail address."""
