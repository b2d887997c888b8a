"""Commands that make something happen: recipes, recordings, and where to deliver to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..._shapes import mapping
from ...errors import APIError, TransportError, WeChatPayError
from ..actors.user import IllegalMove

if TYPE_CHECKING:
    from ..gateway import Gateway


class Errands:
    """Commands of the control API, for those who work beside a gateway."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def trigger(self, event: str, values: Any = None) -> dict[str, Any]:
        """Have an event happen, by its recipe or as an example."""
        given = mapping({} if values is None else values)
        if given is None:
            raise ValueError("values: an object expected")
        from ..recipes.table import trigger

        try:
            done = trigger(self._gateway, event, given)
        except (
            APIError,
            TransportError,
        ) as error:  # a call of the recipe's, by its values
            raise IllegalMove(str(error)) from None
        except WeChatPayError as error:  # what cannot even be sent
            raise ValueError(str(error)) from None
        return {
            "name": done.name,
            "example": done.example,
            "made": done.made,
            "notifications": [
                {"id": one.id, "event_type": one.event_type, "status": one.status}
                for one in done.notices
            ],
        }

    def recipes(self) -> dict[str, Any]:
        """The recipes, and what each takes; and what only an example is known of."""
        from ..recipes.table import RECIPES, known

        listed = [
            {
                "name": one.name,
                "about": one.about,
                "events": one.events,
                "takes": one.takes,
            }
            for one in RECIPES.values()
        ]
        events = {event for one in RECIPES.values() for event in one.events}
        examples = [one for one in known() if one not in {*RECIPES, *events}]
        return {"recipes": listed, "examples": examples}

    def deliver_to(
        self, url: str | None = None, prefix: str = "", verify: bool = False
    ) -> dict[str, Any]:
        """Have notifications brought to a server on this machine; without URL, to none.

        *prefix* and *verify* as in Python.
        """
        self._gateway.deliver_to(url, prefix, verify=verify)
        return {"url": url, "prefix": prefix}

    def recording(self, number: int | None = None) -> dict[str, Any]:
        """The journal as it can be replayed, or one exchange of it."""
        from ..recording.recorder import call, record

        if number is not None:
            return {"entries": [call(self._gateway.journal[number])]}
        return {"entries": record(self._gateway)}

    def send(
        self,
        target: str,
        method: str = "GET",
        headers: Any = None,
        body: str = "",
        base64: str | None = None,
        mchid: str | None = None,
        signed: bool = True,
    ) -> dict[str, Any]:
        """Send a call of a recording once more, signed anew; the answer to it."""
        from ..recording.sending import send

        entry: dict[str, Any] = {
            "target": target,
            "method": method,
            "headers": headers,
            "body": body,
            "mchid": mchid,
            "signed": signed,
        }
        if base64 is not None:
            entry["base64"] = base64
        return {"answer": send(self._gateway, entry)}
