"""`python -m warden` is `warden`."""

from warden.cli import main

if __name__ == "__main__":
    main()
