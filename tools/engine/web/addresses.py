"""Which IP addresses are the public internet."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address

NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052: the last 32 bits are an IPv4 address
# Inside all the same: Azure's host agent; the IETF's own block, with Oracle's metadata service in it (Python before
# 3.11.9 counts it as public); NAT64 for local use (RFC 8215); 6to4 relays (RFC 7526).
INSIDE_ALL_THE_SAME = (
    IPv4Network("168.63.129.16/32"),
    IPv4Network("192.0.0.0/24"),
    IPv6Network("64:ff9b:1::/48"),
    IPv4Network("192.88.99.0/24"),
)


def parse(text: str) -> Address | None:
    """The address that `text` writes in the canonical way; a zone (`%eth0`) is dropped."""
    try:
        return ip_address(text.partition("%")[0])
    except ValueError:
        return None


def is_public(address: Address) -> bool:
    """Whether the address belongs to the public internet; an IPv4 address inside an IPv6 one counts as itself."""
    if isinstance(address, IPv6Address):
        inner = _embedded(address)
        if inner is not None:
            return all(is_public(one) for one in inner)
    if any(address in network for network in INSIDE_ALL_THE_SAME if network.version == address.version):
        return False
    special = (
        address.is_private
        or address.is_loopback
        or address.is_link_local
        or address.is_multicast
        or address.is_reserved
        or address.is_unspecified
        or (isinstance(address, IPv6Address) and address.is_site_local)
    )
    return address.is_global and not special


def _embedded(address: IPv6Address) -> tuple[IPv4Address, ...] | None:
    if address.ipv4_mapped is not None:
        return (address.ipv4_mapped,)
    if address.sixtofour is not None:
        return (address.sixtofour,)
    if address.teredo is not None:
        return address.teredo
    if address in NAT64 or int(address) >> 32 == 0:  # NAT64, or "IPv4-compatible" (deprecated)
        return (IPv4Address(int(address) & 0xFFFFFFFF),)
    return None
