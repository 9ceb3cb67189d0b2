"""Every error that Bosun raises on purpose.

BosunError
  ConfigError            the environment or a file is wrong: named with file, line and a suggestion
    CharterError         a file of the charter
  AlreadyRunning         another process owns the data folder
  StoreError             the database cannot be reached or refused
    StoreConflict        two writes were in each other's way
  RefusedError           the request is understood and not allowed
    NotAllowed           this person may not do this
    OutOfDate            the card or revision is no longer current
  NotFound               no such run, approval, channel, ...
  PlatformError          a chat platform refused or failed
    RateLimited          it says when to come back
    TargetGone           channel or message no longer exists or is closed to us
    OutcomeUnknown       the connection broke after the request was sent
  ModelError             the language model failed
    ModelBusy            429, 529, overload: worth another try
    ModelRefused         the model declined
  ToolError              a tool failed: a typed error for the agent, a sentence for the person
"""

from __future__ import annotations


class BosunError(Exception):
    """Something went wrong in Bosun."""

    code = "error"  # stable, for programs
    hint = ""  # what the reader can do

    def __init__(self, message: str = "", *, hint: str = "") -> None:
        super().__init__(message or (self.__doc__ or "").strip())
        self.hint = hint or self.hint

    @property
    def message(self) -> str:
        """The sentence for people."""
        return str(self.args[0])

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class ConfigError(BosunError):
    """A setting is missing or wrong."""

    code = "config"


class CharterError(ConfigError):
    """A file of the charter is wrong: the charter in force stays in force until it is mended."""

    code = "charter"

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems  # "rules/money.yaml:12: unknown tool 'pay_invoce' (did you mean 'pay_invoice'?)"
        super().__init__("\n".join(problems))


class AlreadyRunning(BosunError):
    """Another Bosun process uses this data folder. Stop it, or give this one another BOSUN_DATA."""

    code = "already_running"


class StoreError(BosunError):
    """The database cannot be used right now."""

    code = "store"


class StoreConflict(StoreError):
    """Another write was in the way of this one: nothing of it is written, and it may be tried again."""

    code = "store_conflict"


class RefusedError(BosunError):
    """That is not allowed."""

    code = "refused"


class NotAllowed(RefusedError):
    """You may not do this."""

    code = "not_allowed"


class OutOfDate(RefusedError):
    """This card is out of date; the current one is in the thread."""

    code = "out_of_date"


class NotFound(BosunError):
    """There is nothing with that name."""

    code = "not_found"


class PlatformError(BosunError):
    """The chat platform refused or failed."""

    code = "platform"


class RateLimited(PlatformError):
    """The chat platform asks us to wait."""

    code = "rate_limited"

    def __init__(self, message: str = "", *, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after  # seconds


class TargetGone(PlatformError):
    """The channel or message is gone or closed to us."""

    code = "target_gone"


class OutcomeUnknown(PlatformError):
    """The connection broke after the request was sent: it may have happened."""

    code = "outcome_unknown"


class ModelError(BosunError):
    """The language model could not answer."""

    code = "model"


class ModelBusy(ModelError):
    """The language model is overloaded or rate limited."""

    code = "model_busy"

    def __init__(self, message: str = "", *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after  # seconds, where the service says so


class ModelRefused(ModelError):
    """The language model declined to answer this."""

    code = "model_refused"


class ToolError(BosunError):
    """The tool could not do it."""

    code = "tool"
