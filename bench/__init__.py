"""What the guard costs, measured against the same work without it, in the same run: `python -m bench`."""
