"""Who asks, and for which project: an API key and a project's name, or a token and a project's id.

The service takes either pair. Where parts of both are sent, the key decides, the project's id is ignored, and
requests are counted by the token. So a mixture is refused when the client is built.

A project that does not exist is made by the first request that names it, silently and empty. A name that
breaks the service's rules is refused here; one that is merely misspelt nobody can tell from a new one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from uuid import UUID

from attrs import frozen

from galtea_async.errors import ConfigurationError
from galtea_async.http.configuration import checked_key
from galtea_async.secret import Secret
from galtea_async.settings import Environment

__all__ = ["CREDENTIAL_HEADERS", "Credentials"]

CREDENTIAL_HEADERS: Final = ("X-API-Key", "X-Project-Name", "X-Project-ID")

_PROJECT_NAME: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 _.'-]{0,253}[A-Za-z0-9])?")


@frozen(kw_only=True)
class Credentials:
    """What goes with every request to say who asks.

    Attributes:
        project: The project's name or id.
        headers: The header that names the project.
        secret_headers: The header that has the key or the token.
    """

    project: str
    headers: Mapping[str, str]
    secret_headers: Mapping[str, Secret]

    @classmethod
    def choose(
        cls,
        *,
        api_key: str | None,
        project_name: str | None,
        token: str | None,
        project_id: str | None,
        environment: Environment,
    ) -> Credentials:
        """Take the pair that was given, or the key and the project of the environment.

        Args:
            api_key: A key of an organisation.
            project_name: A project of that organisation.
            token: A token of a person.
            project_id: A project that this person has access to.
            environment: Where PANDAPROBE_API_KEY and PANDAPROBE_PROJECT_NAME are looked for, each if it is
                not given; not at all if a token or a project's id is.

        Returns:
            The credentials.

        Raises:
            ConfigurationError: They are mixed or incomplete, or one of them cannot be right.
        """
        if token is None and project_id is None:
            key = api_key if api_key is not None else environment.text("PANDAPROBE_API_KEY")
            name = project_name if project_name is not None else environment.text("PANDAPROBE_PROJECT_NAME")
            return cls._by_key(checked_key(key, "PANDAPROBE_API_KEY"), name)
        if api_key is not None or project_name is not None:
            raise ConfigurationError(
                "pass api_key with project_name, or token with project_id: the service ignores a part of any "
                "other mixture"
            )
        return cls._by_token(token, project_id)

    @classmethod
    def _by_key(cls, key: str, project_name: object) -> Credentials:
        if project_name is None:
            raise ConfigurationError("no project: pass project_name, or set PANDAPROBE_PROJECT_NAME")
        if not isinstance(project_name, str) or not _PROJECT_NAME.fullmatch(project_name):
            raise ConfigurationError(
                "project_name has 1 to 255 characters, letters and digits at both ends, and between them "
                f"also blanks and _ . - ', which {project_name!r} has not"
            )
        return cls(
            project=project_name,
            headers={"X-Project-Name": project_name},
            secret_headers={"X-API-Key": Secret(key)},
        )

    @classmethod
    def _by_token(cls, token: object, project_id: object) -> Credentials:
        if token is None or project_id is None:
            missing = "token" if token is None else "project_id"
            raise ConfigurationError(f"token and project_id go together, and {missing} is missing")
        if not isinstance(token, str) or not token or not token.isascii() or not token.isprintable():
            raise ConfigurationError("the token is empty or has a control or non-ASCII character")
        if " " in token:
            raise ConfigurationError("the token has a blank: pass it without the word Bearer")
        project = _uuid(project_id)
        return cls(
            project=project,
            headers={"X-Project-ID": project},
            secret_headers={"Authorization": Secret(f"Bearer {token}")},
        )


def _uuid(text: object) -> str:
    try:
        return str(UUID(text if isinstance(text, str) else ""))
    except ValueError:
        pass
    raise ConfigurationError(f"project_id is a UUID, not {text!r}")
