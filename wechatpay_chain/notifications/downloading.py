"""Certificates for a notification: they are downloaded by calls, so this makes one.

A layer outside of a client's stack that sends nothing inward: what rises out of it is
the download alone, which goes through the stack as any other does.
"""

from __future__ import annotations

from .._flow import Flow, send
from .._messages import Request, Response
from ..middleware.certificate_download import OUTER
from ..middleware.certificates import Certificates

#: Seconds for all of it. WeChat Pay waits 5 for the answer (protocol section 9).
DEADLINE = 3.5


class Download:
    """Gets the certificate *serial*, or renews the set without one.

    One flight for all threads and tasks, the limits of storms, and the store are those
    of :class:`Certificates`.
    """

    name = "notification"

    def __init__(
        self, certificates: Certificates, serial: str | None, base_url: str
    ) -> None:
        self._certificates = certificates
        #: The certificate that is wanted; ``None`` where the set is only old.
        self.serial: str | None = serial
        #: What to run the layers with.
        self.request: Request = Request(
            "GET",
            f"{base_url}/v3/certificates",
            template="v3/certificates",
            base_url=base_url,
            timeout=(DEADLINE, DEADLINE),
            deadline=DEADLINE,
        )

    def __call__(self, request: Request) -> Flow[Response]:
        if request is not self.request:
            # The download itself, which comes through here too.
            return (yield from send(request))
        certificates = self._certificates
        started = certificates.timer()
        if self.serial is None:
            yield from certificates.renew(request, started)
        elif certificates.missing:
            yield from certificates.first(request, started, OUTER)
        else:
            yield from certificates.refresh(request, self.serial, started)
        return Response(204)
