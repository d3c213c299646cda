"""Where W&B keeps a user's server and key, read as W&B reads them, without importing it.

Order of W&B: settings are the user's file, then `wandb/settings` of the working folder, then the environment; the key
is in the environment, else in the netrc entry of the server, else in the settings. A key is handed out to be sent,
and shown nowhere: its owner has no `repr` of it.
"""

from __future__ import annotations

import ast
import configparser
import functools
import importlib.util
import netrc
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from experiments.project.errors import UsageError
from experiments.project.files import expanded, home_folder


@dataclass(frozen=True)
class Credentials:
    """The W&B server in use and what opens it.

    Attributes:
        base_url: Address of the server's API, without a trailing slash.
        key: API key; None where W&B would find none.
        source: Where the key was found, in words.
        identity_token: Whether W&B would log in with an identity token file instead of a key.
        entity: Default entity, where set.
        project: Default project, where set.
    """

    base_url: str
    key: str | None = field(default=None, repr=False)
    source: str = ""
    identity_token: bool = False
    entity: str | None = None
    project: str | None = None

    @property
    def app_url(self) -> str:
        """Address of the server's pages, without a trailing slash."""
        names = _wandb_names()
        parts = urlsplit(self.base_url)
        for new, old in names["FORGE_HOSTS"].items():
            if parts.hostname in (new, f"api.{new}", old):
                return f"https://{new}{names['FORGE_APP_PATH']}"
        if parts.netloc.startswith("api.wandb."):
            return self.base_url.replace("://api.", "://", 1)
        return self.base_url.replace("://api.", "://app.", 1)

    @property
    def host(self) -> str:
        """Name of the server, as shown with everything that was read from it."""
        return urlsplit(self.base_url).netloc


def credentials_present(environ: Mapping[str, str] | None = None, folder: Path | None = None) -> bool:
    """Return whether W&B, started in `folder`, would find a key or an identity token for its server."""
    found = find_credentials(environ, folder)
    return found.key is not None or found.identity_token


def find_credentials(environ: Mapping[str, str] | None = None, folder: Path | None = None) -> Credentials:
    """Return the server that W&B would talk to and the key that it would use.

    Args:
        environ: Instead of the process's environment.
        folder: Instead of the working folder, whose `wandb/settings` counts.
    """
    env = os.environ if environ is None else environ
    settings = _settings(env, folder or Path.cwd())
    base_url = _api_url(env.get("WANDB_BASE_URL") or settings.get("base_url") or _wandb_names()["DEFAULT_BASE_URL"])
    entity = env.get("WANDB_ENTITY") or settings.get("entity")
    project = env.get("WANDB_PROJECT") or settings.get("project")
    key, source = env.get("WANDB_API_KEY") or None, "WANDB_API_KEY"
    token = bool(env.get("WANDB_IDENTITY_TOKEN_FILE"))
    if key is None and not token:
        path = _netrc_path(env)
        key, source = _netrc_key(path, base_url), str(path)
        if key is None and (settings.get("base_url", "").rstrip("/") or base_url) == base_url:
            key, source = settings.get("api_key") or None, "W&B's settings"
    return Credentials(base_url, key, source if key else "", token, entity, project)


def _settings(env: Mapping[str, str], folder: Path) -> dict[str, str]:
    home = Path(env.get("HOME") or home_folder())
    config = expanded(env["WANDB_CONFIG_DIR"]) if env.get("WANDB_CONFIG_DIR") else home / ".config" / "wandb"
    root = Path(env.get("WANDB_DIR") or folder)
    local = root / (".wandb" if (root / ".wandb").exists() else "wandb")
    merged: dict[str, str] = {}
    for path in (config / "settings", local / "settings"):
        if not path.exists():
            continue
        parser = configparser.ConfigParser(interpolation=None)
        try:
            parser.read(path, encoding="utf-8")
            merged.update(parser.items("default"))
        except (OSError, UnicodeDecodeError, configparser.Error):
            continue
    return merged


def _netrc_path(env: Mapping[str, str]) -> Path:
    if env.get("NETRC"):
        return expanded(env["NETRC"])
    return Path(env.get("HOME") or home_folder()) / (".netrc" if os.name != "nt" else "_netrc")


def _netrc_key(path: Path, base_url: str) -> str | None:
    try:
        entries = netrc.netrc(str(path))
    except (OSError, UnicodeDecodeError, netrc.NetrcParseError):
        return None
    host = urlsplit(base_url).netloc
    for name in (host, _upstream(host)):
        entry = entries.authenticators(name) if name else None
        if entry and entry[2]:
            return entry[2]
    return None


def _upstream(host: str) -> str:
    """Return the host under whose name a key may have been saved before W&B moved its servers."""
    names: dict[str, str] = _wandb_names()["FORGE_HOSTS"]
    return next((old for new, old in names.items() if host in (new, f"api.{new}")), "")


@functools.cache
def _api_url(url: str) -> str:
    """Return the address that requests go to; W&B also takes the proxy path of its own hosts."""
    url = url.rstrip("/")
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise UsageError(
            f"address {url[:80]!r} of the W&B server is none ({error}). Correct it: export WANDB_BASE_URL=https://HOST"
        ) from None
    names = _wandb_names()
    if parts.hostname in names["FORGE_HOSTS"] and parts.path == names["FORGE_API_PATH"]:
        return f"https://api.{parts.hostname}"
    return url


@functools.cache
def _wandb_names() -> dict[str, Any]:
    """Return W&B's default server and host names, taken from its source: importing W&B costs most of a second."""
    names: dict[str, Any] = {"DEFAULT_BASE_URL": "", "FORGE_HOSTS": {}, "FORGE_API_PATH": "", "FORGE_APP_PATH": ""}
    spec = importlib.util.find_spec("wandb")
    for folder in spec.submodule_search_locations or [] if spec else []:
        try:
            module = ast.parse((Path(folder) / "sdk" / "lib" / "urls.py").read_bytes())
        except (OSError, SyntaxError):
            continue
        for node in module.body:
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                name = node.targets[0].id
                if name in names and isinstance(node.value, (ast.Constant, ast.Dict)):
                    names[name] = ast.literal_eval(node.value)
    return names
