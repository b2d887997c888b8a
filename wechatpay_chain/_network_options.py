"""The options about what is around a client: proxies, trust, transports, a store."""

from __future__ import annotations

import os
import re
import ssl
from inspect import iscoroutinefunction
from typing import Any

from ._key_options import Given
from ._secret import Secret
from ._shapes import mapping
from .crypto.load import is_name
from .errors import ConfigurationError
from .stores import CertificateStore, DirectoryStore
from .transports.base import AsyncTransport, Transport
from .transports.settings import Bundle, check_proxy


def check_proxies(given: Given) -> dict[str, str]:
    """The URLs of the proxies by scheme."""
    sealed = given.sealed("proxies")
    if sealed is None:
        return {}
    if isinstance(sealed.reveal(), str):
        return dict.fromkeys(("http", "https"), _proxy(sealed))
    if mapping(sealed.reveal()) is None:
        raise ConfigurationError(
            "proxies: a URL, or a mapping of scheme to URL, expected"
        )
    for scheme in sealed.reveal():
        if scheme not in ("http", "https"):
            raise ConfigurationError(
                f"proxies: 'http' and 'https' are the schemes, got {scheme!r}"
            )
    # Sealed before any is checked: a password in a local variable could show.
    each = {scheme: Secret(url) for scheme, url in sealed.reveal().items() if url}
    return {scheme: _proxy(url) for scheme, url in each.items()}


def check_verify(given: Given) -> Bundle | ssl.SSLContext | None:
    """A context, or a CA bundle; ``None`` for the default authorities."""
    # Sealed: it may be a key in the wrong option.
    sealed: Secret[Any] = Secret(given.get("verify", True))
    if sealed.reveal() is True:
        return None
    if isinstance(sealed.reveal(), (ssl.SSLContext, Bundle)):
        loaded: ssl.SSLContext | Bundle = sealed.reveal()
        return loaded
    if isinstance(sealed.reveal(), (str, os.PathLike)):
        return _bundle(Secret(os.path.expanduser(os.fsdecode(sealed.reveal()))))
    if sealed.reveal() is False:
        raise ConfigurationError(
            "verify: TLS is always verified; for a private authority give the path of "
            "its CA bundle"
        )
    raise ConfigurationError(
        "verify: the path of a CA bundle expected, got "
        f"{type(sealed.reveal()).__name__}"
    )


def _bundle(sealed: Secret[str]) -> Bundle:
    """The bundle at a path, which stays where the working directory changes."""
    problem = _problem(sealed)
    if problem is None:
        return Bundle(os.path.abspath(sealed.reveal()))
    shown = sealed.reveal() if is_name(sealed.reveal()) else "this"
    raise ConfigurationError(f"verify: {shown} is no CA bundle: {problem}")


def _problem(sealed: Secret[str]) -> str | None:
    """What is wrong with a bundle, in words. Raises nothing: the path may be a key."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(sealed.reveal())
    except ssl.SSLError as error:  # an OSError too
        return error.reason or "it holds no certificate that can be read"
    except (OSError, ValueError) as error:  # a NUL byte, a lone surrogate
        return getattr(error, "strerror", None) or "this path cannot be opened"
    return None


def _proxy(sealed: Secret[Any]) -> str:
    if isinstance(sealed.reveal(), str) and not re.match(
        r"[a-z0-9+.-]*:/", sealed.reveal(), re.I
    ):
        # Nothing of it is repeated: it may be user:password@host.
        raise ConfigurationError(
            "proxies: the scheme is missing: http://[user:password@]host:port expected"
        )
    return check_proxy(sealed)


def check_transport(given: Given) -> Transport | None:
    """What sends for the plain verbs; ``None`` where it was not given."""
    # Sealed: it may be a key in the wrong option.
    sealed = given.sealed("transport")
    if sealed is None:
        return None
    _check_methods(sealed, "transport", ("open", "sleep", "close"))
    if iscoroutinefunction(sealed.reveal().open):
        raise ConfigurationError(
            "transport: its open is a coroutine function; give it as async_transport"
        )
    transport: Transport = sealed.reveal()
    return transport


def check_async_transport(given: Given) -> AsyncTransport | None:
    """What sends for the awaited verbs; ``None`` where it was not given.

    Whether ``open`` may be awaited shows when it is called.
    """
    sealed = given.sealed("async_transport")
    if sealed is None:
        return None
    _check_methods(sealed, "async_transport", ("open", "sleep", "aclose"))
    transport: AsyncTransport = sealed.reveal()
    return transport


def check_store(
    given: Given, apiv3_key: Secret[bytes] | None
) -> CertificateStore | None:
    """What workers share certificates through; ``None`` for this client alone."""
    sealed = given.sealed("certificate_store")
    if sealed is None:
        return None
    if apiv3_key is None:
        raise ConfigurationError(
            "certificate_store: without apiv3_key no certificates are downloaded, so "
            "there are none to share"
        )
    if isinstance(sealed.reveal(), (str, os.PathLike)):
        return _directory(Secret(os.fsdecode(sealed.reveal())))
    names = ("load", "save", "claim", "release")
    _check_methods(sealed, "certificate_store", names)
    store: CertificateStore = sealed.reveal()
    return store


def _directory(sealed: Secret[str]) -> DirectoryStore:
    # Nothing of it is repeated: with a line break in it, it is a key.
    if not sealed.reveal() or not sealed.reveal().isprintable():
        raise ConfigurationError(
            "certificate_store: the path of a directory expected, or a store"
        )
    if os.path.isfile(os.path.expanduser(sealed.reveal())):
        raise ConfigurationError(
            "certificate_store: this is a file; the path of a directory expected"
        )
    return DirectoryStore(sealed.reveal())


def _check_methods(sealed: Secret[Any], option: str, names: tuple[str, ...]) -> None:
    # An instance: the class for one of it is an easy slip.
    is_class = isinstance(sealed.reveal(), type)
    if not is_class and all(
        callable(getattr(sealed.reveal(), name, None)) for name in names
    ):
        return
    kind = "a class" if is_class else type(sealed.reveal()).__name__
    raise ConfigurationError(
        f"{option}: an object with {', '.join(names[:-1])} and {names[-1]} expected, "
        f"got {kind}"
    )
