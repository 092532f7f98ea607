"""Tests of the reference backend: ``python manage.py test``."""
