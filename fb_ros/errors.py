"""The one root exception, so that callers can tell our refusals from a bug."""


class FbRosError(Exception):
    """A refusal in one line: what came, what was expected, what to do."""
