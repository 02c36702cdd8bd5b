from bitpeer.decred.constants import MIN_VERSION, PROTOCOL_VERSION, InvType, Services, Tree


def test_numbers_are_those_of_the_reference():
    # dcrd wire/protocol.go, invvect.go, common.go
    assert (MIN_VERSION, PROTOCOL_VERSION) == (9, 12)
    assert [int(each) for each in Services] == [1, 2, 4]
    assert [int(each) for each in InvType] == [0, 1, 2, 3, 4]
    assert [int(each) for each in Tree] == [-1, 0, 1]
