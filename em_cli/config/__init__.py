"""YAML, options and environment → RunConfig, or an error that names the bad key."""
