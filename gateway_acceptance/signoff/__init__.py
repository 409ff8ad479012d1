"""Sign-off of a run, and its verification: docs/signoff.md."""
