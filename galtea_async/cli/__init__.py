"""The command line `galtea-async`: one file a command, found and run by `main`."""

__all__: list[str] = []
