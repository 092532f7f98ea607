"""Content negotiation of an API that speaks JSON only."""

from rest_framework.negotiation import DefaultContentNegotiation


class AlwaysJSON(DefaultContentNegotiation):
    """Answer in JSON whatever ``Accept`` says, instead of refusing with 406.

    Views that stream events or file bytes build their own response; their errors are JSON all the same.
    """

    def select_renderer(self, request, renderers, format_suffix=None):
        """Take the first renderer without looking at the request."""
        return renderers[0], renderers[0].media_type
