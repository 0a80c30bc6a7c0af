"""Values of options that several commands take."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from sloproof.observe.address import parse_address

if TYPE_CHECKING:
    from sloproof.observe.address import Address


def address(text: str) -> Address:
    """Return an address, for argparse; no message repeats its credentials."""
    try:
        return parse_address(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def server(text: str) -> Address:
    """Return the address of a server as a whole, for argparse."""
    found = address(text)
    if "?" in found.url:
        raise argparse.ArgumentTypeError("leave out what is behind the question mark")
    return found
