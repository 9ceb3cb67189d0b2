"""`python -m bot` is the command line."""

from bot.engine.cli import main

main()
