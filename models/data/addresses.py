"""Which hosts a server may be sent to by a stranger: public ones only."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable
from urllib.parse import SplitResult, urlsplit

_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")  # all of IPv6 that is given out (RFC 4291, IANA registry)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")  # an IPv4 address in its last 32 bits (RFC 6052)


def is_public(address: str) -> bool:
    """Whether an IP address is one that anybody on the internet could reach.

    >>> is_public("93.184.216.34"), is_public("127.0.0.1"), is_public("::ffff:10.0.0.1")
    (True, False, False)

    Private, loopback, link-local (cloud metadata services), shared, multicast, reserved and documentation
    ranges are not, and neither is an IPv6 address that carries such an IPv4 address: mapped, 6to4 or NAT64.
    Teredo and what is no address at all are refused. Source: IANA special-purpose address registries.
    """
    try:
        ip = ipaddress.ip_address(address.split("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour
        if ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
        if ip not in _GLOBAL_UNICAST or ip.teredo:
            return False
    return ip.is_global and not (ip.is_multicast or ip.is_reserved)


def web_address(url: str) -> SplitResult:
    """The parts of a URL that may be asked for: http or https, a host, no password.

    >>> web_address("https://example.org/bear.jpg").hostname
    'example.org'

    Raises ValueError with a sentence for any other.
    """
    try:
        parts = urlsplit(url.strip())
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise ValueError("This is not a web address.") from error
    if parts.scheme not in ("http", "https"):
        raise ValueError("Only addresses that begin with http:// or https:// are fetched.")
    if not host or any(ord(character) < 33 for character in url.strip()):
        raise ValueError("This is not a web address.")
    if parts.username is not None or parts.password is not None:
        raise ValueError("An address with a user name or password in it is not fetched.")
    return parts


class NoNetwork(Exception):
    """Nothing outside this machine can be reached."""


class NoHost(ValueError):
    """A host that nobody has, or that lies within a private network; `str` is a sentence.

    The same for both: who may not be told of a private network could else ask which hosts there are in it.
    """

    def __init__(self, host: str):
        super().__init__(f"There is no host {host}, or it lies within a private network, which is not asked.")


def checked_addresses(host: str, port: int, *, allowed: Callable[[str], bool] = is_public) -> list[str]:
    """The IP addresses of a host, all of them allowed; connect to these, a second look-up may tell others.

    >>> checked_addresses("example.org", 443)
    ['93.184.216.34']

    Raises NoHost for a name that has none and for one any of whose addresses is not allowed, NoNetwork where names
    cannot be looked up at all.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        if error.errno == socket.EAI_AGAIN:
            raise NoNetwork from error
        raise NoHost(host) from error
    except UnicodeError as error:
        raise ValueError("This is not a web address.") from error
    addresses = list(dict.fromkeys(str(address[0]) for *_, address in found))
    if not all(map(allowed, addresses)):
        raise NoHost(host)
    return addresses
