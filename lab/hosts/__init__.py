"""Real systemd hosts on this machine: four containers in a network namespace of their own."""
