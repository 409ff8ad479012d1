"""Published holes of the backends' releases."""
