"""langguard."""
