"""Tests of bitpeer.service.answers."""

from random import Random

from bitpeer.messages.addresses import TimedNetAddress, pack_ip
from bitpeer.service.addressbook import AddressBook
from bitpeer.service.answers import MAX_DOORS, OLDEST, YOUNGEST, AddressAnswers
from bitpeer.service.knownaddress import DAY, HOUR
from bitpeer.service.seeds import Address

NOW = 1_800_000_000.0


def make_answers(count, most=1_000, **manner):
    draw = Random(1)
    book = AddressBook(secret=b"a secret" * 4, sample=draw.sample)
    for number in range(count):
        ip = pack_ip(f"20.{number % 256}.{number >> 8}.1")
        told = TimedNetAddress(int(NOW) - number * 60, number, ip, 8333)
        book.learn([told], f"30.{number % 256}.{number >> 8}.1", NOW)
    return book, AddressAnswers(book, most, draw.random, **manner)


def test_a_share_of_the_book_is_told():
    book, answers = make_answers(1_000)
    answer = answers.at("door", NOW)
    assert len(answer) == -(-len(book) * 23 // 100)
    assert len(set(answer)) == len(answer)
    for host, port, services, _ in answer:
        assert book.look_up(Address(host, port)).services == services


def test_no_more_is_told_than_a_message_holds():
    assert len(make_answers(1_000, 50)[1].at("door", NOW)) == 50


def test_who_asks_again_hears_the_same_for_about_a_day():
    book, answers = make_answers(1_000)
    answer = answers.at("door", NOW)
    book.learn([Address("40.1.1.1", 8333)], "", NOW)
    assert answers.at("door", NOW + 21 * HOUR) is answer
    assert answers.at("door", NOW + 27 * HOUR) != answer


def test_r_f1_behind_two_doors_nobody_recognises_the_same_node():
    _, answers = make_answers(1_000)
    one, two = answers.at("192.0.2.1:8333", NOW), answers.at("127.0.0.1:8334", NOW)
    by_place = {(host, port): time for host, port, _, time in one}
    common = [
        (time, by_place[host, port]) for host, port, _, time in two if (host, port) in by_place
    ]
    assert len(common) < len(one) / 2  # two samples of the book, as two nodes would draw them
    assert not any(time == other for time, other in common)
    ends = [answers._answers[door][0] for door in ("192.0.2.1:8333", "127.0.0.1:8334")]
    assert ends[0] != ends[1]


def test_r_f1_the_times_that_are_told_are_made_up():
    book, answers = make_answers(1_000)
    told = answers.at("door", NOW)
    ages = [NOW - time for *_, time in told]
    assert min(ages) >= YOUNGEST
    assert max(ages) <= OLDEST + 1
    assert max(ages) - min(ages) > 9 * DAY
    by_real_age = sorted(told, key=lambda each: book.look_up(Address(each.host, each.port)).time)
    half = len(told) // 2
    means = [sum(each.time for each in part) / half for part in (told[:half], by_real_age[:half])]
    assert abs(means[0] - means[1]) < DAY  # those heard of long ago look no older


def test_after_the_clock_was_set_back_an_answer_does_not_last_for_ever():
    _, answers = make_answers(1_000)
    answer = answers.at("door", NOW)
    assert answers.at("door", NOW - 30 * DAY) is not answer


def test_only_so_many_doors_are_remembered():
    _, answers = make_answers(100)
    first = answers.at("door 0", NOW)
    for number in range(1, MAX_DOORS):
        answers.at(f"door {number}", NOW)
    assert answers.at("door 0", NOW) is first
    answers.at("one more", NOW)
    assert len(answers._answers) == MAX_DOORS
    assert answers.at("door 0", NOW) is not first


def test_an_empty_book_tells_nothing():
    assert make_answers(0)[1].at("door", NOW) == ()


def test_who_came_when_nothing_was_known_does_not_wait_a_day():
    book, answers = make_answers(0)
    assert answers.at("door", NOW) == ()
    book.learn([Address("40.1.1.1", 8333)], "", NOW)
    assert len(answers.at("door", NOW + 1)) == 1


def test_among_friends_everything_is_told_as_it_is_known():
    book, answers = make_answers(9, frank=True)
    assert len(answers.at("door", NOW)) == 9
    book.learn([Address("40.1.1.1", 8333)], "", NOW)
    assert len(answers.at("door", NOW + 1)) == 10
