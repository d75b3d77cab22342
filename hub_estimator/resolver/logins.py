"""Which login goes where: a password is for the place that the user named it for.

A place is a scheme, a host and a port. The login in a handle's URL goes to the handle's place alone,
and so does what `.netrc` says for any host; what it says for one host goes to that host's usual
place of `https`, too, where a redirect leads there. No login follows a redirect to elsewhere.
"""

from __future__ import annotations

import urllib.parse

import requests.utils

from hub_estimator.resolver.handle import port_of

_PORTS = {"http": 80, "https": 443}


def login_for(url: str, named: str) -> tuple[str, str] | None:
    """Returns the user and the password to send to `url`; None is neither.

    Args:
      url: what is to be asked, maybe after redirects.
      named: the URL that the user gave, maybe with a user and a password.
    """
    if _is_place_of(url, named):
        login = requests.utils.get_auth_from_url(named)
        return login if any(login) else requests.utils.get_netrc_auth(url)
    if _place(url)[::2] != ("https", _PORTS["https"]):
        return None
    # Of what is for any host, `default`, nobody knows whether it is for this one.
    login_of_any = requests.utils.get_netrc_auth("https://default")
    login_of_host = requests.utils.get_netrc_auth(url)
    return None if login_of_host == login_of_any else login_of_host


def _is_place_of(url: str, named: str) -> bool:
    host = _place(named)[1]
    is_secured = _place(named) == ("http", host, _PORTS["http"])
    return _place(url) in (_place(named), is_secured and ("https", host, _PORTS["https"]))


def _place(url: str) -> tuple[str, str, int | None]:
    parts = urllib.parse.urlsplit(url)
    return parts.scheme, parts.hostname or "", port_of(url) or _PORTS.get(parts.scheme)
