"""`python -m headwater`."""

from headwater._src.app.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
