"""The one way to call a tool's REST API: signs in, judges each answer, and stops knocking when not let in."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Generic

from secure_export.clock import Clock
from secure_export.itsm.admission import Admission, NotAdmitted
from secure_export.itsm.answer import Answer
from secure_export.itsm.change_queue import ChangeQueue
from secure_export.itsm.http_errors import AnswerLost, NotSent
from secure_export.itsm.requests import Requests
from secure_export.itsm.share import Share
from secure_export.itsm.sign_in import SignIn
from secure_export.itsm.verdict import READS, Later, Method, NotSignedIn, NotThere, O, Ok, R, Refused, Verdict, in_doubt

_CONNECTIONS = 4


class JudgedApi(ABC, Generic[O, R]):
    """Calls one tool.

    Args:
        http: Makes requests.
        sign_in: Gives the header fields that show who we are.
        clock: The time.
        connections: How many requests are made at a time.
        share: What this process has of them; None: all.
        changes: In which turn changes are made; None: as suits the connections.

    Attributes:
        to_mend: What a person can do when the tool does not let us in, as a sentence part.
    """

    to_mend: ClassVar[str]

    def __init__(  # noqa: PLR0913 - most have a value that suits
        self,
        http: Requests,
        sign_in: SignIn,
        *,
        clock: Clock,
        connections: int = _CONNECTIONS,
        share: Share | None = None,
        changes: ChangeQueue | None = None,
    ) -> None:
        self._http = http
        self._clock = clock
        self._admission = Admission[Verdict[O, R]](
            sign_in,
            clock=clock,
            connections=connections,
            share=share,
            changes=changes,
            why_stranger=lambda told: told.reason if isinstance(told, NotSignedIn) else None,
            is_let_in=lambda told: isinstance(told, Ok | NotThere | Refused),
            asked_until=lambda told: told.not_before if isinstance(told, Later) else None,
            to_mend=self.to_mend,
        )

    @abstractmethod
    def judged(self, answer: Answer, method: Method) -> Verdict[O, R]:
        """Say what an answer means."""

    async def call(
        self, method: Method, path: str, *, query: Mapping[str, str] | None = None, json: Any = None
    ) -> Verdict[O, R]:
        """Call any REST API of the tool that takes the same sign-in, and say what came of it.

        Raises nothing for what the tool or the network does.
        """

        async def attempt(headers: Mapping[str, str]) -> Verdict[O, R]:
            try:
                answer = await self._http.request(method, path, query=query, json=json, headers=headers)
            except NotSent as error:
                return Later(error.reason)
            except AnswerLost as error:
                return in_doubt(error.reason, method)
            return self.judged(answer, method)

        try:
            return await (self._admission.read(attempt) if method in READS else self._admission.change(attempt))
        except NotAdmitted as error:
            return Later(error.reason, error.not_before)
