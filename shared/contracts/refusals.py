"""The root of every error a person or another system is told about.

Refusal              said no, and will say no again: the class's docstring is the message
├── TryAgain         said no for now: the same call may succeed later
└── TooMany          said no to this often; says after how many seconds the same call may succeed
"""


class Refusal(Exception):
    """This cannot be done."""

    @property
    def message(self) -> str:
        """The sentence a person is shown: the docstring of the refusal's class."""
        return (type(self).__doc__ or "").strip()

    def __str__(self) -> str:
        return self.message


class TryAgain(Refusal):
    """This cannot be done right now. Try again in a moment."""


class TooMany(Refusal):
    """This was done too often from where you are. It works again within the hour."""

    def __init__(self, seconds: int) -> None:
        super().__init__()
        self.seconds = max(1, seconds)
