"""What the gateway does, between the pure rooms and the stores."""
