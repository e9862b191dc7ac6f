"""The real rules of which hosts may be asked, with no network."""

import socket

import pytest
from ipyfastai.models.data.addresses import NoHost, NoNetwork, checked_addresses, is_public, web_address


@pytest.mark.parametrize(
    "address",
    [
        "93.184.216.34",
        "8.8.8.8",
        "2606:2800:220:1:248:1893:25c8:1946",
        "::ffff:8.8.8.8",
        "64:ff9b::808:808",
        "2002:808:808::1",
    ],
)
def test_public(address):
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    """
    127.0.0.1 127.255.255.254 0.0.0.0 10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 169.254.169.254 100.64.0.1
    192.0.2.1 198.18.0.1 224.0.0.1 239.255.255.250 240.0.0.1 255.255.255.255
    ::1 :: fe80::1 fe80::1%eth0 fec0::1 fc00::1 fd12::1
    ff02::1 2001:db8::1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:a9fe:a9fe ::127.0.0.1 64:ff9b::7f00:1 64:ff9b::a00:1
    64:ff9b:1::1 2002:7f00:1::1 2002:a00:1::1 2001:0:5ef5:79fb::1 4000::1 not-an-address 127.1 2130706433
    """.split(),
)  # fmt: skip
def test_not_public(address):
    assert not is_public(address)


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1", "127.1", "2130706433", "0x7f.1", "::1", "0", "[::1]".strip("[]")]
)
def test_every_way_to_write_this_machine_is_refused(host):
    with pytest.raises(ValueError, match="within a private network|There is no host"):
        checked_addresses(host, 80)


def resolving(monkeypatch, *addresses):
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 80)) for address in addresses]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)


def test_one_private_address_among_public_ones_is_enough(monkeypatch):
    resolving(monkeypatch, "8.8.8.8", "8.8.4.4")
    assert checked_addresses("two.example", 80) == ["8.8.8.8", "8.8.4.4"]
    resolving(monkeypatch, "8.8.8.8", "10.0.0.1")
    with pytest.raises(ValueError, match="There is no host rebinding.example, or it lies within a private network"):
        checked_addresses("rebinding.example", 80)


def test_which_private_hosts_there_are_cannot_be_found_out(monkeypatch):
    def fail(*_, **__):
        raise socket.gaierror(socket.EAI_NONAME, "as the resolver says")

    def said():
        with pytest.raises(ValueError) as caught:
            checked_addresses("wiki.intern", 80)
        return caught.type, str(caught.value)

    resolving(monkeypatch, "10.0.0.1")
    there = said()
    monkeypatch.setattr(socket, "getaddrinfo", fail)
    assert said() == there


@pytest.mark.parametrize(("code", "raises"), [(socket.EAI_AGAIN, NoNetwork), (socket.EAI_NONAME, NoHost)])
def test_names_that_cannot_be_looked_up(monkeypatch, code, raises):
    def fail(*_, **__):
        raise socket.gaierror(code, "as the resolver says")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with pytest.raises(raises):
        checked_addresses("example.org", 80)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("ftp://example.org/1.jpg", "begin with http"),
        ("file:///etc/passwd", "begin with http"),
        ("javascript:alert(1)", "begin with http"),
        ("http://", "not a web address"),
        ("http:///1.jpg", "not a web address"),
        ("http://[::1", "not a web address"),
        ("http://example.org:99999/", "not a web address"),
        ("http://exa mple.org/", "not a web address"),
        ("http://user:password@example.org/", "user name or password"),
    ],
)
def test_addresses_that_are_not_asked(url, says):
    with pytest.raises(ValueError, match=says):
        web_address(url)
