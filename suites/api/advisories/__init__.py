"""Published holes of the gateway's release: by its version, and by probes that harm nothing."""
