"""Settings in a file."""

import pytest

from bitpeer.command.configfile import MAX_SIZE, ConfigFile, read_file
from bitpeer.command.said import Said, WrongSetting

SAMPLE = """
http = 8080
log-level = "debug"
no_relay = true
services = ["network", 8]
network = ["mainnet", "decred-mainnet"]

[networks.mainnet]
outbound = 12
connect = ["192.0.2.1", "node.example:8333"]
listen = []
want = []

[networks.decred-mainnet]
no-relay = false
"""


@pytest.fixture
def write(tmp_path):
    """Return a function that writes a file and returns its path."""

    def write(text):
        path = tmp_path / "a.toml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return str(path)

    return write


def complaint(path):
    with pytest.raises(WrongSetting) as caught:
        read_file(path)
    line = str(caught.value).replace(path, "a.toml")
    assert "\n" not in line
    return line


def test_a_file_says_the_same_as_a_command_line(write):
    path = write(SAMPLE)
    here = f"in {path}"
    assert read_file(path) == ConfigFile(
        {
            "http": Said(("8080",), f"http {here}"),
            "log-level": Said(("debug",), f"log-level {here}"),
            "no-relay": Said(("true",), f"no_relay {here}"),
            "services": Said(("network,8",), f"services {here}"),
            "network": Said(("mainnet", "decred-mainnet"), f"network {here}"),
        },
        {
            "bitcoin-mainnet": {
                "want": Said(("0",), f"networks.mainnet.want {here}"),
                "outbound": Said(("12",), f"networks.mainnet.outbound {here}"),
                "connect": Said(
                    ("192.0.2.1", "node.example:8333"), f"networks.mainnet.connect {here}"
                ),
            },
            "decred-mainnet": {
                "no-relay": Said(("false",), f"networks.decred-mainnet.no-relay {here}")
            },
        },
    )


def test_an_empty_file_says_nothing(write):
    assert read_file(write("")) == ConfigFile()


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("outbund = 8", "outbund in a.toml is no setting; did you mean outbound?"),
        ("xyzzy = 8", "xyzzy in a.toml is no setting"),
        ("config = 'b.toml'", "config in a.toml is no setting"),
        ("outbound = 1.5", "outbound in a.toml is 1.5, expected a text or a whole number"),
        ("outbound = true", "outbound in a.toml is True, expected a text or a whole number"),
        ("outbound = [8]", "outbound in a.toml is [8], expected one value"),
        ("no-relay = 1", "no-relay in a.toml is 1, expected true or false"),
        ("no-relay = 'true'", "no-relay in a.toml is 'true', expected true or false"),
        ("connect = [[]]", "connect in a.toml is [], expected a text or a whole number"),
        ("[outbound]", "outbound in a.toml is {}, expected a text or a whole number"),
        ("outbound = 2026-11-21", "outbound in a.toml is datetime.date(2026, 11, 21), expected a"),
        ("max-inbound = 1\nmax_inbound = 2", "max_inbound in a.toml is there twice, with - and"),
        ('"out\\nbound" = 1', r"out\x0abound in a.toml is no setting"),
        ("[network.mainnet]", "network in a.toml is {'mainnet': {}}, expected names of networks; "),
        ("networks = 1", "networks in a.toml is no table"),
        ("[networks]\nmainnet = 1", "networks.mainnet in a.toml is no table"),
        ("[networks.mainnet]\nhttp = 1", "networks.mainnet.http in a.toml is about the whole"),
        ("[networks.mainet]", "networks.mainet in a.toml is of no network, expected one of"),
        (
            "[networks.mainnet]\n[networks.bitcoin-mainnet]",
            "networks.bitcoin-mainnet in a.toml is the second table of this network",
        ),
        ("outbound 8", "a.toml is no TOML: "),
        (b"\xff", "a.toml is no TOML: "),
        ("a = " + "[" * 2_000, "a.toml is no TOML: maximum recursion depth exceeded"),
        (f"{'x' * 99} = 1", f"{'x' * 60}... in a.toml is no setting"),
        (f"[networks.{'x' * 99}]", f"networks.{'x' * 60}... in a.toml is of no network"),
        ('[networks."\\u0007"]', r"networks.\x07 in a.toml is of no network"),
        ("outbound = " + "9" * 5_000, "a.toml is no TOML: "),
        ("outbound = 0x" + "f" * 5_000, "a.toml has a number that is too long"),
        (b" " * (MAX_SIZE + 1), "a.toml has more than 1000000 bytes"),
    ],
)
def test_what_is_wrong_is_named(write, text, line):
    assert complaint(write(text)).startswith(line)


def test_a_file_that_is_not_there_is_named(tmp_path):
    assert complaint(str(tmp_path / "none")).startswith("--config is '")
    assert "that can be read (Is a directory)" in complaint(str(tmp_path))


def test_paths_begin_where_the_file_is(write, tmp_path):
    path = write("data-dir = 'data'\nlog-json = '/var/log/b'\n")
    said = read_file(path).everywhere
    assert said["data-dir"].texts == (str(tmp_path / "data"),)
    assert said["log-json"].texts == ("/var/log/b",)
    assert read_file(write("data-dir = 'memory'")).everywhere["data-dir"].texts == ("memory",)
