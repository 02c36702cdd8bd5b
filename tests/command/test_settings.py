"""The table of all that operators may say."""

from bitpeer.command.settings import BY_NAME, SETTINGS, Scope, Shape


def test_each_has_a_name_of_its_own_and_says_what_it_does():
    assert len(BY_NAME) == len(SETTINGS)
    for setting in SETTINGS:
        assert setting.name == setting.name.lower()
        assert setting.field.isidentifier()
        assert setting.help.endswith((".", "]"))


def test_what_may_be_repeated_says_so():
    for setting in SETTINGS:
        assert (setting.shape is Shape.MANY) == ("May be repeated." in setting.help)


def test_flags_are_off_unless_somebody_turns_them_on():
    flags = [setting for setting in SETTINGS if setting.shape is Shape.FLAG]
    assert flags
    assert not any(setting.default for setting in flags)


def test_places_belong_to_one_network():
    places = {setting.name for setting in SETTINGS if setting.scope is Scope.PLACE}
    assert {"connect", "listen", "serve"} <= places


def test_paths_begin_somewhere_wherever_the_program_goes(monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    paths = {setting.name for setting in SETTINGS if setting.is_path}
    assert paths == {"config", "data-dir", "log-json", "tor-password-file"}
    directory = BY_NAME["data-dir"]
    assert directory.located("a/b", "/etc") == "/etc/a/b"
    assert directory.located("/a", "/etc") == "/a"
    assert directory.located("~/a", "/etc") == "/home/me/a"
    assert BY_NAME["log-json"].located("memory", "/etc") == "/etc/memory"


def test_what_is_no_path_stays_as_it_is():
    assert BY_NAME["data-dir"].located("memory", "/etc") == "memory"
    assert BY_NAME["data-dir"].located("", "/etc") == ""
    assert BY_NAME["connect"].located("a", "/etc") == "a"
