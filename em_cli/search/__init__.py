"""Which climbs to make, and which of their ends to trust."""
