"""A user who signs in with an e-mail address and has no user name."""

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models

from accounts.fields import LowercaseEmailField
from common.models import TimeStampedModel


class UserManager(BaseUserManager):
    """Creates users from an e-mail address and a password."""

    def create_user(self, email: str, password: str | None = None, **fields) -> "User":
        """Store a user with a hashed password."""
        if not email:
            raise ValueError("A user needs an e-mail address.")
        user = self.model(email=email.lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields) -> "User":
        """What ``manage.py createsuperuser`` calls."""
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)


class User(TimeStampedModel, AbstractBaseUser, PermissionsMixin):
    """A person with an account."""

    email = LowercaseEmailField(unique=True)
    name = models.CharField(max_length=255, blank=True)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    # djoser's serializers show exactly these fields beside the id and the e-mail address.
    REQUIRED_FIELDS = ["name"]

    def __str__(self) -> str:
        return self.email
