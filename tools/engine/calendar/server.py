"""Calendars on a CalDAV server. The client library is imported here alone."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from caldav.collection import Calendar
from caldav.davclient import DAVClient
from caldav.lib import error as faults
from requests import ConnectTimeout, RequestException, Timeout
from requests.adapters import HTTPAdapter

from kernel.errors import OutcomeUnknown
from tools.engine.aside import aside
from tools.engine.failure import CannotDo, NotLetIn, NotThere, TooManyRequests

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from kernel.types import Origin
    from tools.engine.setup.file import CalendarSetup

T = TypeVar("T")

MOST = 2_000  # events of one answer
LARGEST = 1_000_000  # characters of one event
LARGEST_ANSWER = 30_000_000  # bytes, unpacked
CHANGES = frozenset({"PUT", "DELETE"})


class ServerAgenda:
    """`agenda.Agenda` on the server of the set-up."""

    def __init__(self, setup: CalendarSetup, password: str) -> None:
        self._setup = setup
        self._password = password

    async def between(self, calendar: str, start: datetime, end: datetime) -> list[str]:
        """Every event that may touch that time."""

        def look(found: Any) -> list[str]:
            events = found.search(start=start, end=end, event=True, expand=False)
            return [text for event in events[:MOST] if len(text := str(event.data)) <= LARGEST]

        return await self._talk(calendar, look)

    async def get(self, calendar: str, uid: str) -> str | None:
        """One event."""

        def look(found: Any) -> str | None:
            try:
                return str(found.get_event_by_uid(uid).data)
            except faults.NotFoundError:
                return None

        return await self._talk(calendar, look)

    async def put(self, calendar: str, uid: str, ics: str) -> None:
        """Store an event."""

        def write(found: Any) -> None:
            try:
                event = found.get_event_by_uid(uid)
            except faults.NotFoundError:
                found.add_event(ics)
                return
            event.data = ics
            event.save()

        await self._talk(calendar, write)

    async def remove(self, calendar: str, uid: str) -> bool:
        """Delete an event."""

        def delete(found: Any) -> bool:
            try:
                found.get_event_by_uid(uid).delete()
            except faults.NotFoundError:
                return False
            return True

        return await self._talk(calendar, delete)

    def origin(self, mark: str) -> Origin:
        """Whoever invites somebody writes into a calendar, so nothing in it counts as the team's."""
        return "outside_text"

    async def _talk(self, calendar: str, work: Callable[[Any], T]) -> T:
        way, limit = _Bounded(), self._setup.timeout
        try:
            return await aside(lambda: self._talk_now(self._setup.calendars[calendar], way, work), limit)
        except TimeoutError as error:
            if way.method in CHANGES:
                raise _lost() from error
            raise CannotDo(f"The calendar server did not answer within {limit:g} seconds.") from error

    def _talk_now(self, url: str, way: _Bounded, work: Callable[[Any], T]) -> T:
        try:
            with DAVClient(
                url=self._setup.url,
                username=self._setup.user,
                password=self._password,
                timeout=math.ceil(self._setup.timeout),  # of one request; `aside` counts them all
                enable_rfc6764=False,
            ) as client:
                client.session.trust_env = False
                client.session.mount(f"{urlsplit(url).scheme}://", way)
                return work(Calendar(client=client, url=url))
        except CannotDo:
            raise
        except faults.AuthorizationError as error:
            raise NotLetIn("The calendar server does not allow this, or does not take the password.") from error
        except faults.RateLimitError as error:
            raise TooManyRequests("The calendar server asks for fewer requests. Try again later.") from error
        except faults.NotFoundError as error:
            raise NotThere("The calendar server knows no calendar at the address in tools.yaml.") from error
        except ConnectTimeout as error:
            raise CannotDo("The calendar server cannot be reached (ConnectTimeout).") from error
        except Timeout as error:
            raise TimeoutError from error
        except RequestException as error:
            if way.method in CHANGES and not _never_sent(error):
                raise _lost() from error
            raise CannotDo(f"The calendar server cannot be reached ({type(error).__name__}).") from error
        except Exception as error:  # whatever the library makes of an answer that is none
            raise CannotDo(f"The calendar server gave no proper answer ({type(error).__name__}).") from error


class _TooMuchError(RequestException):
    """The answer is longer than is read."""


class _Bounded(HTTPAdapter):
    """Reads an answer up to a size, whatever it is packed in, and remembers what was asked last."""

    method = ""

    def send(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """The answer, whose body breaks off where it is too long."""
        self.method = str(request.method)
        response = super().send(request, *args, **kwargs)
        whole = response.raw.stream

        def bounded(*how: Any, **what: Any) -> Iterator[bytes]:
            left = LARGEST_ANSWER
            for chunk in whole(*how, **what):
                left -= len(chunk)
                if left < 0:
                    response.close()
                    raise _TooMuchError
                yield chunk

        response.raw.stream = bounded
        return response


def _lost() -> OutcomeUnknown:
    return OutcomeUnknown("The calendar server went away while it took a change. It may have made it.")


def _never_sent(error: BaseException) -> bool:
    """Whether no connection came about, so that nothing can have been changed."""
    return "NewConnectionError" in repr(error)
