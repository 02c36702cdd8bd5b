"""The programs in the documents are programs."""

import ast
import re
import sys
from pathlib import Path

import pytest
from twisted.internet.defer import Deferred

import bitpeer
from bitpeer import (
    Absent,
    DisconnectReason,
    IPeer,
    PeerConfig,
    PeerGroup,
    PeerListener,
    decred,
    on,
    peer_service,
)
from bitpeer.bitcoin import (
    REGTEST,
    Block,
    BlockHeader,
    GetData,
    Headers,
    Inv,
    InvType,
    InvVect,
    Ping,
    Pong,
)
from bitpeer.testing import Host, Simulation, dial
from tests.bitcoin.vectors import GENESIS
from tests.examples.test_examples import node
from tests.net import asked
from tests.twistd import running

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
PROGRAMS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def without_calls(program: str) -> str:
    """Return *program* with its imports and definitions only: nothing of it runs."""
    tree = ast.parse(program)
    kept = (ast.Import, ast.ImportFrom, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    tree.body = [
        each
        for each in tree.body
        if isinstance(each, kept) and "reactor" not in ast.unparse(each).split("import")[-1]
    ]
    return ast.unparse(tree)


@pytest.mark.parametrize("program", PROGRAMS, ids=range(len(PROGRAMS)))
def test_whatever_a_program_imports_is_there(program: str) -> None:
    exec(without_calls(program), {})


def test_the_watcher_listens_to_what_it_says() -> None:
    [program] = [each for each in PROGRAMS if "class Watcher" in each]
    names: dict = {}
    exec(program, names)
    watcher = names["Watcher"]()
    assert isinstance(watcher, PeerListener)
    assert all(watcher.receiver(kind) is not None for kind in (Headers, Inv, Block))


def test_files_that_the_readme_names_exist() -> None:
    for name in re.findall(r"\]\(([\w/.]+)\)", README):
        assert (ROOT / name).exists(), name


def test_what_the_guide_to_extending_shows_works() -> None:
    guide = (ROOT / "docs" / "extending.md").read_text()
    names: dict = {}
    for program in re.findall(r"```python\n(.*?)```", guide, re.DOTALL):
        # From a file, so to say: what is declared looks its annotations up in its module.
        exec(compile(program, "extending.md", "exec"), names)
    message = names["GetProofs"](1, [bytes(32)])
    assert names["testbed"].dialect.registry.decode("getproofs", message.encode()) == message
    assert names["config"].network.title == "bitcoin-testbed"


FIRST_BLOCKS = {
    "bitcoin": Block.decode(GENESIS["mainnet"].raw),
    "decred": decred.GENESIS_BLOCKS["mainnet"],
}


@pytest.mark.parametrize("dialect", FIRST_BLOCKS)
def test_the_five_lines_fetch_a_block_of_whose_network_one_word_says(
    tmp_path: Path, dialect: str
) -> None:
    [program] = [each for each in PROGRAMS if "get_block" in each]
    body = program.partition("import PeerConfig, bitcoin, connect\n")[2].split("\n")
    assert len([line for line in body if line.strip()]) <= 5
    with node("mainnet", dialect) as address:
        script = tmp_path / "five.py"
        script.write_text(program.replace("bitcoin", dialect).replace("127.0.0.1", address))
        with running(sys.executable, str(script)) as process:
            assert process.status() == 0
    assert process.lines == [repr(FIRST_BLOCKS[dialect])]


def test_what_the_page_about_requests_shows_works(capsys: pytest.CaptureFixture[str]) -> None:
    page = (ROOT / "docs" / "requests.md").read_text()
    names: dict = {}
    for program in re.findall(r"```python\n(.*?)```", page, re.DOTALL):
        exec(compile(program, "requests.md", "exec"), names)
    one, two = asked.make_block(1), asked.make_block(2)
    stage = asked.node(names["Reader"]())
    peer = asked.meet(stage)

    def ask(name: str, *arguments: object) -> asked.Result:
        return asked.Result(Deferred.fromCoroutine(names[name](*arguments)))

    newest = ask("newest_block", peer, [REGTEST.genesis])
    [ping] = [each for each in asked.said(peer) if type(each) is Ping]
    asked.say(peer, Headers([BlockHeader(1, REGTEST.genesis, bytes(32), 0, 0, 0)]))
    asked.say(peer, Pong(ping.nonce))
    asked.say(peer, asked.not_found(*asked.wanted(peer)))
    assert isinstance(newest.value, Absent)

    results = [ask("try_for_block", peer, one.hash) for _ in range(2)]
    asked.say(peer, one)
    assert [result.value for result in results] == [one, one]
    missing = ask("try_for_block", peer, one.hash)
    asked.say(peer, asked.not_found(one.hash))
    assert missing.value == "it does not have it"
    silent = ask("try_for_block", peer, one.hash)
    for _ in range(21):
        stage.clock.advance(1)
    assert silent.value == "it said nothing in 20 seconds"

    asked.say(peer, Inv((InvVect(InvType.BLOCK, two.hash),)))
    asked.say(peer, two)
    assert capsys.readouterr().out == f"{two!r}\n"

    counted = ask("count_transactions", peer, [one.hash, two.hash])
    asked.say(peer, two, one, two, one)  # the first of them late
    assert counted.value == 2

    group = PeerGroup(stage.clock)
    group.add(peer)
    fetched = ask("from_anybody", group, one.hash)
    asked.say(peer, one)
    assert fetched.value == one
    gone = ask("try_for_block", peer, one.hash)
    asked.hang_up(peer)
    assert gone.value == "it is gone: closed by the peer"
    nobody = ask("from_anybody", PeerGroup(stage.clock, patience=0), one.hash)
    assert nobody.value is None
    assert capsys.readouterr().out.startswith("nobody could be asked for block ")


@pytest.mark.parametrize(("listener", "waits"), [("Reader", True), ("Trader", False)])
def test_who_asks_and_answers_does_not_wait(listener: str, waits: bool) -> None:
    page = (ROOT / "docs" / "requests.md").read_text()
    names: dict = {}
    for program in re.findall(r"```python\n(.*?)```", page, re.DOTALL):
        exec(compile(program, "requests.md", "exec"), names)
    one, two = asked.make_block(1), asked.make_block(2)

    class Seller(names[listener]):
        @on(GetData)
        def wanted(self, peer: IPeer, get_data: GetData) -> None:
            peer.send(two)

    async def story(there: Host, address: str) -> None:
        peer = await dial(there, address, REGTEST)
        await peer.shake_hands()
        peer.send(Inv((InvVect(InvType.BLOCK, one.hash),)))
        await peer.expect(GetData)
        peer.send(GetData((InvVect(InvType.BLOCK, two.hash),)))
        if waits:
            await peer.expect_none(Block, seconds=20)
            peer.send(one)
        await peer.expect(Block, timeout=1)

    with Simulation(seed=1) as simulation:
        here, there = simulation.host(), simulation.host()
        service = peer_service(
            PeerConfig(network=REGTEST), [Seller()], listen=["8333"], reactor=here
        )
        service.startService()
        simulation.run(story(there, f"{here.address}:8333"))


def test_every_way_to_fail_that_the_page_about_requests_names_is_there() -> None:
    page = (ROOT / "docs" / "requests.md").read_text()
    for name in re.findall(r"`([A-Z][A-Z_]+)`", page):
        assert name in DisconnectReason.__members__, name
    kinds = set(re.findall(r"`([A-Z][a-z]\w+)`", page)) - {"InvVect", "Kind"}
    assert kinds <= set(bitpeer.__all__)
    assert {"AnswerTooLong", "Unencodable"} <= kinds
    methods = re.findall(r"`((?:get_\w+|ping|request))\(", page)
    assert {name for name in methods if not hasattr(IPeer.get(name), "positional")} == set()
