"""How a tool says that it could not do it."""

from __future__ import annotations

from kernel.errors import ToolError


class CannotDo(ToolError):
    """The tool could not do it, and did not do it in part.

    The message stands in Bosun's own words: nothing that came from outside is quoted in it. A plain ToolError may
    quote a service, so its text counts as outside text.
    """

    code = "cannot_do"


class InVain(CannotDo):
    """The call cannot succeed, whatever people decide about it: nobody is asked, and the agent is told why."""

    code = "in_vain"


class NotLetIn(CannotDo):
    """The service does not let us in: a password or a permission is gone."""

    code = "not_let_in"


class NotThere(CannotDo):
    """There is no such thing: no such file, no such record of a service."""

    code = "not_there"


class TooManyRequests(CannotDo):
    """The service takes no more requests for now."""

    code = "too_many_requests"


class SignInNeeded(NotLetIn):
    """The service lets us in once a person has signed in there. Nothing was done."""

    code = "sign_in_needed"
