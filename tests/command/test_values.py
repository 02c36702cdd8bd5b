"""Single values, as operators write them."""

import pytest

from bitpeer.bitcoin.networks import NETWORKS as BITCOIN
from bitpeer.command import values
from bitpeer.decred.networks import NETWORKS as DECRED
from bitpeer.jaxnet.networks import MAINNET as JAX
from bitpeer.messages.onion import onion_name


@pytest.mark.parametrize("name", [*BITCOIN, *(each.title for each in BITCOIN.values())])
def test_networks_go_by_name_and_by_title(name):
    assert values.network(name).name == name.removeprefix("bitcoin-")


@pytest.mark.parametrize("network", DECRED.values(), ids=DECRED)
def test_networks_of_others_go_by_title_only(network):
    assert values.network(network.title) is network
    assert network.title in values.NETWORKS
    assert values.network("Jaxnet-Mainnet") is JAX
    with pytest.raises(ValueError, match=r"one of mainnet, .*, decred-mainnet, .*, jaxnet-mainnet"):
        values.network("decred")


@pytest.mark.parametrize(
    ("said", "agent"),
    [
        ("explorer:2.0", b"/explorer:2.0/"),
        ("/explorer:2.0(a; b)/bitpeer:1/", b"/explorer:2.0(a; b)/bitpeer:1/"),
    ],
)
def test_a_user_agent_is_name_and_version_or_the_whole(said, agent):
    assert values.agent(said) == agent


@pytest.mark.parametrize("said", ["/a:\udcff/", "/a:\u00e9/", "explorer", "a/b:1", "/a:1", "é:1"])
def test_a_user_agent_that_peers_would_not_take_is_refused(said):
    with pytest.raises(ValueError, match=r"name:version, or /name:version.comment./"):
        values.agent(said)


@pytest.mark.parametrize(
    ("said", "bits"),
    [
        ("0", 0),
        ("9", 9),
        ("0x409", 0x409),
        ("network,witness", 9),
        ("Network-Limited, 0x8", 0x408),
        (str((1 << 64) - 1), (1 << 64) - 1),
    ],
)
def test_services_are_numbers_or_names(said, bits):
    assert values.services(said, BITCOIN["mainnet"].dialect.service_bits) == bits


def test_services_are_called_what_the_network_calls_them():
    bits = values.network("decred-mainnet").dialect.service_bits
    assert values.services("compact-filters", bits) == 4
    with pytest.raises(ValueError, match="64 bits, or of network, bloom, compact_filters, with"):
        values.services("witness", bits)


@pytest.mark.parametrize("said", ["everything", "-1", "\u0661", str(1 << 64), ""])
def test_services_that_do_not_exist_are_refused(said):
    with pytest.raises(ValueError, match="64 bits, or of network, getutxo, bloom"):
        values.services(said, BITCOIN["mainnet"].dialect.service_bits)


def test_numbers_have_limits():
    read = values.number(1, 12)
    assert [read("1"), read("12")] == [1, 12]
    for said in ("0", "13", "-1", "1.5", "\u0663", "", "many", "9" * 5_000):
        with pytest.raises(ValueError, match="a number from 1 to 12"):
            read(said)
    with pytest.raises(ValueError, match="0 for no limit"):
        values.limit("x")
    with pytest.raises(ValueError, match=r"0 to 2\*\*32 - 1"):
        values.chain_id("4294967296")


@pytest.mark.parametrize(
    ("said", "seconds"), [("90", 90), ("5s", 5), ("30m", 1_800), ("24h", 86_400), ("7d", 604_800)]
)
def test_times_have_units(said, seconds):
    assert values.span(said) == seconds


@pytest.mark.parametrize("said", ["", "0", "0h", "-1", "5w", "h", "1.5h"])
def test_times_that_make_no_sense_are_refused(said):
    with pytest.raises(ValueError, match="such as 24h"):
        values.span(said)


def test_what_is_chosen_is_there():
    assert values.choice({"a": 1})("a") == "a"
    with pytest.raises(ValueError, match="one of a, b"):
        values.choice({"a": 1, "b": 2})("c")


def test_a_switch_is_on_or_off():
    assert [values.switch("true"), values.switch("false")] == [True, False]
    with pytest.raises(ValueError, match="true or false"):
        values.switch("yes")


def test_a_text_says_something():
    assert values.text("a") == "a"
    with pytest.raises(ValueError, match="something"):
        values.text("")


def test_an_address_is_one_of_ip():
    assert values.address("::0001") == "::1"
    with pytest.raises(ValueError, match="an IP address"):
        values.address("me")


def test_another_chain_has_an_id_and_a_place():
    assert values.other_chain("1=tcp:7") == (1, "tcp:7")
    for said in ("1", "1="):
        with pytest.raises(ValueError, match="ID=ENDPOINT"):
            values.other_chain(said)
    with pytest.raises(ValueError, match="no onion service"):
        values.other_chain("1=Onion:7")
    with pytest.raises(ValueError, match="a number from 0"):
        values.other_chain("\u0661=1")


def test_a_peer_goes_by_its_address_with_or_without_a_port():
    onion = onion_name(bytes(32))
    assert values.peer_address("192.0.2.1") == ("192.0.2.1", 0)
    assert values.peer_address("192.0.2.1:7") == ("192.0.2.1", 7)
    assert values.peer_address("2001:db8::1") == ("2001:db8::1", 0)
    assert values.peer_address("[2001:db8::1]") == ("2001:db8::1", 0)
    assert values.peer_address("[2001:db8::1]:7") == ("2001:db8::1", 7)
    assert values.peer_address(f"{onion}:7") == (onion, 7)
    for said in ("", "node.example", "192.0.2.1:0", "192.0.2.1:http", "a.onion"):
        with pytest.raises(ValueError, match="an IP address or an onion service, with or without"):
            values.peer_address(said)
