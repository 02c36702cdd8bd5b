"""What holds for every exception of ours."""

import pickle

HUGE_BYTES, HUGE_TEXT, HUGE = b"\xff" * 1_000_000, "\0" * 1_000_000, 2**64 - 1


def is_a_sentence(error, sentence):
    """Whether *error* says what it should, and survives being pickled."""
    twin = pickle.loads(pickle.dumps(error))
    return (
        str(error) == str(twin) == sentence
        and repr(error) == f"<{type(error).__name__}: {sentence}>"
        and type(twin) is type(error)
        and twin.__dict__.keys() == error.__dict__.keys()
    )


def is_short(error):
    """Whether *error* is, whatever it was made of (R-B2)."""
    return len(str(error)) < 512 and len(repr(error)) < 512
