"""`python -m em_cli`."""

from em_cli.app import main

if __name__ == "__main__":  # a process that is started for a part of a run is called otherwise
    main()
