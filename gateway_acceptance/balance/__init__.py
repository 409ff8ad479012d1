"""The statistics of load balancing: what a declared group must look like, and what draws from it prove."""
