"""The root of every error a person or another system is told about.

Refusal              said no, and will say no again: the class's docstring is the message
└── TryAgain         said no for now: the same call may succeed later
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
