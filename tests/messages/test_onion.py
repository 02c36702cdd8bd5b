import pytest

from bitpeer.messages.onion import onion_key, onion_name, parse_base32, to_base32

# The address in BIP 155's and Tor's own examples.
NAME = "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion"
KEY = bytes.fromhex("79bcc625184b05194975c28b66b66b0469f7f6556fb1ac3189a79b40dda32f1f")


def test_a_name_stands_for_a_key():
    assert onion_key(NAME) == KEY
    assert onion_name(KEY) == NAME


@pytest.mark.parametrize(
    "name",
    [
        NAME.replace("p", "q", 1),
        NAME[1:],
        "a" + NAME,
        NAME[:55] + "c.onion",
        NAME.upper(),
        ".onion",
        "1" * 56 + ".onion",
    ],
)
def test_what_is_no_name_is_refused(name):
    with pytest.raises(ValueError, match="is no"):
        onion_key(name)


def test_base32_has_one_spelling():
    assert to_base32(b"\x00\x01") == "aaaq"
    assert parse_base32("aaaq.x", ".x", 2) == b"\x00\x01"
    for other in ("aaar.x", "aaaq====.x", "AAAQ.x", "aaa8.x"):
        with pytest.raises(ValueError, match="is no"):
            parse_base32(other, ".x", 2)
