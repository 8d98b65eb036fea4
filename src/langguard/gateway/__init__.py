"""The service: it knows who asks, decides, runs, masks and records."""
