"""The mail that tells somebody about an invitation."""

from django.conf import settings
from django.core.mail import send_mail


def send_invitation(invitation) -> None:
    """Write to the invited address; the link leads to the front end, which knows how to accept."""
    link = f"{settings.FRONT_END_BASE_URL}/invitations/{invitation.pk}"
    send_mail(
        subject=f"Invitation to {invitation.group.name}",
        message=f"{invitation.inviter.email} invites you to {invitation.group.name}.\n\n{link}\n",
        from_email=None,
        recipient_list=[invitation.email],
    )
