"""What follows from what operators say."""

import pytest

from bitpeer.bitcoin.networks import MAINNET, REGTEST, TESTNET4
from bitpeer.command.configfile import ConfigFile
from bitpeer.command.plan import make_plan
from bitpeer.command.said import Said, WrongSetting
from bitpeer.config import PeerConfig
from bitpeer.decred.networks import MAINNET as DECRED, SIMNET


def layer(**said):
    """Return what was said, each as text or as several."""
    return {
        name.replace("_", "-"): Said(
            tuple(texts) if isinstance(texts, list) else (texts,), f"--{name.replace('_', '-')}"
        )
        for name, texts in said.items()
    }


def plan(written=None, **said):
    return make_plan(layer(**said), written or ConfigFile())


def one(**said):
    """Return the plan for the only network."""
    (network,) = plan(**said).networks
    return network


def complaint(written=None, **said):
    with pytest.raises(WrongSetting) as caught:
        plan(written, **said)
    line = str(caught.value)
    assert "\n" not in line
    return line


def test_without_a_word_mainnet_is_joined():
    wanted = plan()
    (network,) = wanted.networks
    assert network.config == PeerConfig(network=MAINNET)
    assert (network.outbound, network.block_only) == (8, 2)
    assert (network.connect, network.listen, network.add_peer) == ([], [], [])
    assert network.headers
    assert network.addresses
    assert not network.private_addresses
    assert (wanted.data_dir, wanted.http, wanted.log_json) == (None, None, None)
    assert wanted.log_level == "info"


def test_several_chains_hold_no_more_for_their_peers_than_one():
    two = plan(network=["mainnet", "decred-mainnet"])
    assert [each.config.max_total for each in two.networks] == [200_000_000] * 2
    served = one(network="jaxnet-simnet", listen="1", serve=["1=2", "2=3", "3=4"], address="::1")
    assert served.config.max_total == served.other(3).max_total == 100_000_000
    many = plan(network=["mainnet", "jaxnet-mainnet", "jaxnet-testnet"])
    assert [each.config.max_total for each in many.networks] == [133_333_333] * 3


def test_however_many_chains_there_are_each_may_hold_its_largest_message():
    chains = [f"{number}={number}" for number in range(1, 60)]
    network = one(network="jaxnet-simnet", listen="70", serve=chains, address="::1")
    assert network.config.max_total == 50_000_000


@pytest.mark.parametrize(
    ("said", "count", "block_only"),
    [
        ({"connect": "a"}, 0, 0),
        ({"connect": "a", "outbound": "3"}, 3, 2),
        ({"connect": "a", "outbound": "3", "block_only": "0"}, 3, 0),
        ({"listen": "1"}, 8, 2),
        ({"listen": "1", "outbound": "0"}, 0, 0),
        ({"network": "regtest", "listen": "1"}, 0, 0),
        ({"network": "regtest", "listen": "1", "outbound": "4"}, 4, 2),
        ({"network": "regtest", "onion_service": "true", "tor": "true"}, 0, 0),
        ({"network": "regtest", "add_peer": "192.0.2.1"}, 8, 2),
        ({"network": "decred-mainnet"}, 8, 2),
    ],
)
def test_peers_are_found_unless_some_are_named_or_none_can_be_found(said, count, block_only):
    network = one(**said)
    assert (network.outbound, network.block_only) == (count, block_only)


def test_the_operator_says_what_peers_are_told():
    config = one(user_agent="a:1", services="9", no_relay="true", follow_redirects="true").config
    assert config == PeerConfig(
        network=MAINNET, user_agent=b"/a:1/", services=9, relay=False, follow_redirects=True
    )


def test_services_have_the_names_that_their_network_knows():
    assert one(services="network,witness", want="network-limited").config.services == 9
    assert one(want="network-limited").want == 0x400
    assert one(network="decred-mainnet", want="network,4").want == 5
    line = complaint(network=["mainnet", "decred-mainnet"], want="witness")
    assert line == (
        "--want is 'witness', expected numbers up to 64 bits, or of network, bloom, "
        "compact_filters, with commas, on decred-mainnet"
    )
    assert complaint(services="").startswith("--services is '', expected numbers")


def test_who_is_found_must_offer_what_the_networks_nodes_offer_unless_somebody_says_otherwise():
    assert one().want == 9
    assert one(network="decred-mainnet").want == 1
    assert one(network="regtest", listen="1").want == 0
    assert one(want="0").want == 0
    assert one(network="regtest", listen="1", want="1").want == 1


def test_addresses_to_consider_have_the_networks_port_unless_they_have_one():
    network = one(add_peer=["192.0.2.1", "[2001:db8::1]:7"])
    assert network.known() == [("192.0.2.1", 8333), ("2001:db8::1", 7)]


def test_some_things_can_be_left_out():
    network = one(no_headers="true", no_addresses="true")
    assert not network.headers
    assert not network.addresses


def test_where_there_are_no_seeds_private_addresses_are_as_good_as_any():
    assert one(network="regtest", listen="1").private_addresses
    assert one(private_addresses="true").private_addresses


def test_the_command_line_goes_before_the_file():
    written = ConfigFile(layer(outbound="3", max_inbound="4"), {"bitcoin-mainnet": {}})
    network = make_plan(layer(outbound="5"), written).networks[0]
    assert (network.outbound, network.max_inbound) == (5, 4)


def test_a_networks_own_table_goes_before_the_rest_of_the_file():
    written = ConfigFile(
        layer(max_inbound="4"),
        {"bitcoin-mainnet": layer(max_inbound="5"), "decred-mainnet": layer(connect="a")},
    )
    first, second = plan(written).networks
    assert (first.base, first.max_inbound, first.connect) == (MAINNET, 5, [])
    assert (second.base, second.max_inbound, second.connect) == (DECRED, 4, ["a"])


def test_of_the_networks_in_a_file_some_may_be_chosen():
    written = ConfigFile({}, {"bitcoin-mainnet": {}, "bitcoin-testnet4": layer(outbound="3")})
    (network,) = plan(written, network="testnet4").networks
    assert (network.base, network.outbound) == (TESTNET4, 3)


def test_several_networks_may_be_joined():
    networks = plan(network=["mainnet", "decred-mainnet"], outbound="4").networks
    assert [each.base for each in networks] == [MAINNET, DECRED]
    assert [each.outbound for each in networks] == [4, 4]
    assert networks[0].doors is not networks[1].doors


def test_places_of_several_networks_belong_into_tables():
    line = complaint(network=["mainnet", "decred-mainnet"], connect="a")
    assert line.startswith("--connect belongs to a single network")
    assert "[networks.mainnet]" in line


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"outbound": "many"}, "--outbound is 'many', expected a number from 0 to 1000"),
        ({"outbound": "0"}, "--outbound is 0, so name peers with --connect"),
        ({"network": "regtest"}, "regtest has no seeds, so name peers with --connect"),
        ({"network": "regtest", "outbound": "2"}, "regtest has no seeds, so name peers"),
        ({"network": "mainet"}, "--network is 'mainet', expected one of mainnet, testnet3"),
        ({"log_level": "loud"}, "--log-level is 'loud', expected one of error, warn"),
        ({"chain": "1"}, "bitcoin-mainnet has a single chain"),
        ({"serve": "1=7", "address": "::1"}, "bitcoin-mainnet has a single chain"),
    ],
)
def test_what_makes_no_sense_is_refused(said, why):
    assert complaint(**said).startswith(why)


def test_tor_is_used_if_its_control_port_is_named():
    wanted = plan(tor_control="9051", onion_service="true")
    assert wanted.tor
    assert wanted.networks[0].onion_service
    assert wanted.networks[0].config.proxied
    assert not plan().tor
    assert plan(tor="true").tor


def test_who_dials_through_a_proxy_tells_nobody_where_anybody_is():
    assert one(proxy="socks5://127.0.0.1").config.proxied
    assert not one(onion_proxy="127.0.0.1:9050").config.proxied


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"tor": "true", "proxy": "a"}, "--proxy and --tor exclude each other"),
        ({"tor": "true", "onion_proxy": "a"}, "--onion-proxy and --tor exclude each other"),
        ({"onion_service": "true"}, "--onion-service needs --tor or --tor-control"),
        ({"tor_password_file": "a"}, "--tor-password-file needs --tor or --tor-control"),
    ],
)
def test_ways_through_proxies_must_not_contradict_each_other(said, why):
    assert complaint(**said).startswith(why)


def test_a_chain_belongs_to_the_network():
    network = one(network="jaxnet-simnet", chain="3", listen="0")
    assert network.config.network.title == "jaxnet-simnet-shard-3"
    assert network.base.title == "jaxnet-simnet"
    assert network.other(4).network.title == "jaxnet-simnet-shard-4"


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"serve": "0=1", "address": "::1"}, "--serve is 0, expected another chain than that of"),
        ({"serve": "1=1"}, "--serve needs --address: peers are told where"),
        ({"address": "me"}, "--address is 'me', expected an IP"),
    ],
)
def test_chains_that_make_no_sense_are_refused(said, why):
    assert complaint(network="jaxnet-simnet", listen="0", **said).startswith(why)


def test_one_network_is_what_it_is_for_all_chains():
    assert one(network="regtest", listen="1").other(0).network is REGTEST
    assert one(network="decred-simnet", listen="1").base is SIMNET
