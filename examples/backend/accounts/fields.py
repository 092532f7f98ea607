"""Model fields for addresses."""

from django.db import models


class LowercaseEmailField(models.EmailField):
    """An e-mail address stored and looked up in small letters.

    Two accounts must not differ only in case, and people may sign in however they spell their address.
    """

    def get_prep_value(self, value):
        """Lower the value on its way to the database, for saving as well as for searching."""
        value = super().get_prep_value(value)
        return value if value is None else value.lower()
