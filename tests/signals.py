"""A child that hears Ctrl-C, also where the tests themselves were started in the background."""

import signal


def hear_ctrl_c() -> None:
    """For ``preexec_fn``: a shell lets its background jobs ignore SIGINT, and children inherit that."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
