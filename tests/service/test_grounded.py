"""Services that stand on others."""

from twisted.application.service import Service
from twisted.internet.defer import Deferred

from bitpeer.service.grounded import Grounded


class Part(Service):
    """Tells when it starts and stops; stops when the test says so, if `slow`."""

    def __init__(self, name, told, *, slow=False):
        self.setName(name)
        self.told = told
        self.slow = slow
        self.stopping = None

    def privilegedStartService(self):  # noqa: N802
        self.told.append(f"{self.name} privileged")

    def startService(self):
        Service.startService(self)
        self.told.append(f"{self.name} starts")

    def stopService(self):
        Service.stopService(self)
        self.told.append(f"{self.name} stops")
        self.stopping = Deferred() if self.slow else None
        return self.stopping


def world(*, slow=True):
    told = []
    service = Grounded()
    Part("first", told).setServiceParent(service)
    Part("second", told, slow=slow).setServiceParent(service)
    Part("log", told).setServiceParent(service.ground)
    Part("files", told, slow=slow).setServiceParent(service.ground)
    return service, told


def stop(service):
    done = []
    service.stopService().addCallback(done.append)
    return done


def test_the_ground_starts_first():
    service, told = world()
    service.privilegedStartService()
    service.startService()
    order = ["log", "files", "first", "second"]
    assert told == [f"{name} {does}" for does in ("privileged", "starts") for name in order]
    assert service.running


def test_the_ground_stops_when_all_above_it_has_stopped():
    service, told = world()
    service.startService()
    told.clear()
    done = stop(service)
    assert told == ["second stops", "first stops"]
    assert not service.running
    assert service.ground.running
    service.getServiceNamed("second").stopping.callback(None)
    assert told[2:] == ["files stops", "log stops"]
    assert done == []
    service.ground.getServiceNamed("files").stopping.callback(None)
    assert len(done) == 1


def test_what_stops_at_once_can_start_again_at_once():
    service, told = world(slow=False)
    for _ in range(2):
        service.startService()
        assert len(stop(service)) == 1
    assert told[:8] == told[8:]


def test_who_starts_it_again_too_soon_finds_the_ground_as_it_was():
    service, told = world()
    service.startService()
    stop(service)
    told.clear()
    waiting = service.getServiceNamed("second").stopping
    service.startService()
    waiting.callback(None)
    assert told == ["first starts", "second starts"]
    assert service.running
    assert service.ground.running


def test_what_never_started_stops_without_a_ground():
    service, told = world(slow=False)
    assert len(stop(service)) == 1
    assert told == ["second stops", "first stops"]
