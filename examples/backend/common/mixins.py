"""View mixins that several apps share."""

from rest_framework.mixins import UpdateModelMixin


class PartialUpdateMixin(UpdateModelMixin):
    """Let ``PUT`` change only the fields it names; clients of this API send what they edited."""

    def update(self, request, *args, **kwargs):
        """Treat every update as partial."""
        return super().update(request, *args, **{**kwargs, "partial": True})
