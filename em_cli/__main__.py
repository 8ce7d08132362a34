"""`python -m em_cli`."""

from em_cli.app import main

main()
