"""Settings: typed, all faults reported at once, secrets that hide themselves.

``Settings.from_environ(os.environ)`` reads the environment variables that the fields name;
``Settings(backend_url=...)`` takes the same values from code. Either raises one
:class:`~wsgiproxy_hs.exceptions.ConfigurationError` that lists every fault.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from wsgiproxy_hs.exceptions import ConfigurationError
from wsgiproxy_hs.setting_faults import setting_faults
from wsgiproxy_hs.setting_faults import variables as variables
from wsgiproxy_hs.setting_limits import LimitSettings
from wsgiproxy_hs.setting_services import ServiceSettings
from wsgiproxy_hs.setting_sessions import SessionSettings
from wsgiproxy_hs.setting_site import SECRET_VARIABLES as SECRET_VARIABLES
from wsgiproxy_hs.setting_site import SiteSettings
from wsgiproxy_hs.setting_upstream import UpstreamSettings


# Pydantic collects the fields of the last base first; faults and pages name them in this order.
class Settings(ServiceSettings, LimitSettings, UpstreamSettings, SessionSettings, SiteSettings):
    """Everything the stack needs to know. Immutable; secrets print as stars."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise ConfigurationError(setting_faults(error, self.__class__.model_fields, [])) from None

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Settings:
        """Settings from environment variables; a variable that is set to nothing counts as not set.

        :raises ConfigurationError: naming each variable that is missing or wrong, and how to mend it.
        """
        given = {name: environ[name].strip() for name in environ if environ[name].strip()}
        values: dict[str, Any] = {}
        for name, info in cls.model_fields.items():
            found = [given[variable] for variable in variables(info) if variable in given]
            if found:
                values[name] = found if name == "secrets" else found[0]
        settings = cls.__new__(cls)
        try:
            BaseModel.__init__(settings, **values)
        except ValidationError as error:
            secret_names = [name for name in SECRET_VARIABLES if name in given]
            raise ConfigurationError(setting_faults(error, cls.model_fields, secret_names)) from None
        return settings
