"""The console command ``gateway-acceptance``."""
