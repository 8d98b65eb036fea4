"""`python -m langguard` is the command line."""

from langguard.cli import main

main()
