"""A page of the portal without a browser: the messages a browser and Streamlit exchange, sent by hand and timed.

    with Tab(served.url, cookie, process.pid) as tab:
        took = tab.open("work_queue", scope="mine")
        took = tab.type("Find a customer", "ellison")

The first message opens an address, each later one carries what the page's fields hold, as Streamlit's own frontend sends it:
the whole page, or only the fragment the field stands in. `Took` says how long until the script had finished, how much
processor time the server spent on it (its own clock, threads that have ended included) and how many bytes came back.
What the browser then needs to draw the answer is no part of it.
"""

from __future__ import annotations

import re
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.sync.client import connect
from websockets.typing import Origin, Subprotocol

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection

ANSWER_SECONDS = 120.0
INCIDENT = "Something went wrong in the portal"
VALUED = ("checkbox", "text_input", "text_area", "selectbox", "radio", "number_input", "button_group", "multiselect")
DATED = ("date_input", "time_input")
FIELDS = (*VALUED, *DATED, "pagination")


class NoSuchPart(LookupError):
    """The page has no field or button of that name; `str()` names what it has."""


class ScriptFailed(RuntimeError):
    """The script drew an exception or an incident instead of the page."""


@dataclass(frozen=True)
class Took:
    """One interaction."""

    wall_ms: float
    cpu_ms: float
    received_bytes: int


@dataclass
class Part:
    """A field or button of the page."""

    kind: str
    label: str
    message: Any
    fragment_id: str
    seen_in: int
    """The run that drew it last."""


@dataclass
class Tab:
    """One browser tab of one signed-in person."""

    url: str
    cookie: str
    pid: int
    query: str = ""
    page_hash: str = ""
    parts: dict[str, Part] = field(default_factory=dict)
    states: dict[str, WidgetState] = field(default_factory=dict)
    addresses: dict[str, str] = field(default_factory=dict)
    """Page name -> Streamlit's hash of it."""
    words: list[str] = field(default_factory=list)
    """What the last run wrote, for looking whether the page is the one that was meant."""
    runs: int = 0
    kept: dict[str, ForwardMsg] = field(default_factory=dict)
    """Large messages a browser keeps, so that the server need not send them again."""
    socket: ClientConnection | None = None

    def __enter__(self) -> Self:
        port = urllib.parse.urlsplit(self.url).netloc
        request = urllib.request.Request(f"{self.url}/_stcore/health", headers={"Cookie": self.cookie})
        with urllib.request.urlopen(request, timeout=ANSWER_SECONDS) as answer:
            set_cookies = answer.headers.get_all("Set-Cookie") or []
        xsrf = next((found[1] for line in set_cookies if (found := re.match(r"_streamlit_xsrf=([^;]+)", line))), "")
        cookies = "; ".join(filter(None, (self.cookie, f"_streamlit_xsrf={xsrf}" if xsrf else "")))
        self.socket = connect(
            f"ws://{port}/_stcore/stream",
            origin=Origin(self.url),
            subprotocols=[Subprotocol("streamlit"), Subprotocol(xsrf or "PLACEHOLDER_AUTH_TOKEN")],
            additional_headers={"Cookie": cookies},
            max_size=None,
            compression=None,
            proxy=None,
        )
        return self

    def __exit__(self, *_: object) -> None:
        if self.socket is not None:
            self.socket.close()

    # --- what a person does ---------------------------------------------------------------------------------------

    def open(self, name: str = "", **query: object) -> Took:
        """A page inside the running session, as a click on the menu opens it."""
        self.query = urllib.parse.urlencode(query)
        self.page_hash = self.addresses.get(name, "")
        self.states.clear()
        return self._run(page_name="" if self.page_hash else name)

    def again(self) -> Took:
        """The whole page once more, nothing changed."""
        return self._run()

    def type(self, label: str, value: Any) -> Took:
        """Puts a value into a field: its fragment runs, or the page when it stands in none."""
        part = self.part(label, *FIELDS)
        self.states[part.message.id] = _state(part, value)
        return self._run(part.fragment_id)

    def hold(self, label: str, value: Any) -> None:
        """Puts a value into a field without sending it yet."""
        part = self.part(label, *FIELDS)
        self.states[part.message.id] = _state(part, value)

    def click(self, label: str) -> Took:
        """Presses a button."""
        part = self.part(label, "button")
        return self._run(part.fragment_id, WidgetState(id=part.message.id, trigger_value=True))

    def has(self, label: str, *kinds: str) -> bool:
        return any(part.label == label and (not kinds or part.kind in kinds) for part in self.parts.values())

    def part(self, label: str, *kinds: str) -> Part:
        """The first field or button of that name. Raises NoSuchPart."""
        for part in self.parts.values():
            if part.label == label and part.kind in kinds:
                return part
        had = ", ".join(sorted({f"{part.kind} {part.label!r}" for part in self.parts.values()}))
        raise NoSuchPart(f"no {' or '.join(kinds)} {label!r}; the page has {had}")

    def says(self, words: str) -> bool:
        """Whether the last run wrote this."""
        return any(words in each for each in self.words)

    # --- the exchange ---------------------------------------------------------------------------------------------

    def _run(self, fragment_id: str = "", *pressed: WidgetState, page_name: str = "") -> Took:
        message = BackMsg()
        rerun = message.rerun_script
        rerun.query_string = self.query
        rerun.page_script_hash = self.page_hash
        rerun.page_name = page_name
        rerun.fragment_id = fragment_id
        rerun.widget_states.widgets.extend([*self.states.values(), *pressed])
        rerun.cached_message_hashes.extend(self.kept)
        rerun.context_info.timezone = "America/New_York"
        rerun.context_info.timezone_offset = 300
        rerun.context_info.locale = "en-US"
        rerun.context_info.url = self.url
        rerun.context_info.color_scheme = "light"
        self.runs += 1
        self.words = []
        assert self.socket is not None
        spent, began = process_seconds(self.pid), time.perf_counter()
        self.socket.send(message.SerializeToString())
        wall, received = self._receive(began)
        took = Took(wall * 1000, (process_seconds(self.pid) - spent) * 1000, received)
        self._forget(fragment_id)
        return took

    def _receive(self, began: float) -> tuple[float, int]:
        """Reads until the script has finished and the session says that nothing runs any more."""
        assert self.socket is not None
        wall, received = 0.0, 0
        while True:
            data = self.socket.recv(timeout=ANSWER_SECONDS)
            assert isinstance(data, bytes)
            received += len(data)
            message = ForwardMsg.FromString(data)
            kind = message.WhichOneof("type")
            if kind == "ref_hash":
                message = self.kept[message.ref_hash]
                kind = message.WhichOneof("type")
            elif message.metadata.cacheable and message.hash:
                self.kept[message.hash] = message
            if kind == "script_finished" and message.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN:
                if message.script_finished == ForwardMsg.FINISHED_WITH_COMPILE_ERROR:
                    raise ScriptFailed("the script could not be compiled")
                wall = time.perf_counter() - began
            elif kind == "session_status_changed" and wall and not message.session_status_changed.script_is_running:
                return wall, received
            elif kind == "navigation":
                self.addresses = {page.url_pathname: page.page_script_hash for page in message.navigation.app_pages}
            elif kind == "new_session":
                self.page_hash = message.new_session.page_script_hash or self.page_hash
                wall = 0.0
            elif kind == "page_info_changed":
                self.query = message.page_info_changed.query_string
            elif kind == "delta":
                self._draw(message)

    def _draw(self, message: ForwardMsg) -> None:
        delta = message.delta
        if delta.WhichOneof("type") != "new_element":
            return
        kind = delta.new_element.WhichOneof("type")
        if kind is None:
            return
        drawn = getattr(delta.new_element, kind)
        if kind == "exception":
            raise ScriptFailed(f"{drawn.type}: {drawn.message}")
        if kind == "html":
            return
        for name in ("body", "label", "value"):
            text = getattr(drawn, name, "")
            if isinstance(text, str) and text:
                self.words.append(text)
                if text.startswith(INCIDENT):
                    raise ScriptFailed(text)
        if kind not in (*FIELDS, "button"):
            return
        new = drawn.id not in self.parts
        label = "" if kind == "pagination" else drawn.label
        self.parts[drawn.id] = Part(kind, label, drawn, delta.fragment_id, self.runs)
        if kind in FIELDS and (new or drawn.id not in self.states or drawn.set_value):
            self.states[drawn.id] = _initial(self.parts[drawn.id])

    def _forget(self, fragment_id: str) -> None:
        """Drops what the run did not draw again."""
        for identity, part in list(self.parts.items()):
            if part.seen_in != self.runs and (not fragment_id or part.fragment_id == fragment_id):
                del self.parts[identity]
                self.states.pop(identity, None)


def sign_in(url: str, staff_id: int) -> str:
    """Signs a person of the demo city in; answers with the cookie."""

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_: Any, **__: Any) -> None:
            return None

    body = urllib.parse.urlencode({"staff": staff_id}).encode()
    request = urllib.request.Request(f"{url}/sign-in", data=body, headers={"Origin": url})
    try:
        urllib.request.build_opener(Stay).open(request, timeout=ANSWER_SECONDS)
    except urllib.error.HTTPError as answer:
        cookie = answer.headers.get("Set-Cookie", "").partition(";")[0]
        if answer.code == 303 and cookie:
            return cookie
        raise
    raise RuntimeError(f"person {staff_id} could not sign in")


def process_seconds(pid: int) -> float:
    """Processor time a process has used so far, all its threads, to the nanosecond where the system tells."""
    try:
        return time.clock_gettime(((~pid) << 3) | 2)  # clock_getcpuclockid(3) of Linux
    except OSError:
        import psutil

        times = psutil.Process(pid).cpu_times()
        return times.user + times.system


def _state(part: Part, value: Any) -> WidgetState:
    state = WidgetState(id=part.message.id)
    if part.kind == "checkbox":
        state.bool_value = value
    elif part.kind == "number_input":
        if value is not None:
            state.double_value = value
    elif part.kind == "pagination":
        state.int_value = value
    elif part.kind in ("button_group", "multiselect", "date_input"):
        state.string_array_value.data.extend([value] if isinstance(value, str) else value)
    elif value is not None:
        state.string_value = value
    return state


def _initial(part: Part) -> WidgetState:
    """What a field holds when it is first drawn, or when the script has put something into it."""
    drawn = part.message
    if part.kind in ("selectbox", "radio"):
        if drawn.set_value:
            return _state(part, drawn.raw_value)
        has = drawn.HasField("default") and drawn.options
        return _state(part, drawn.options[drawn.default] if has else None)
    if part.kind in ("button_group", "multiselect"):
        if drawn.set_value:
            return _state(part, list(drawn.raw_values))
        names = [getattr(each, "content", each) for each in drawn.options]
        return _state(part, [names[each] for each in drawn.default])
    if part.kind == "pagination":
        return _state(part, drawn.value if drawn.set_value else drawn.default)
    if part.kind == "date_input":
        return _state(part, list(drawn.value if drawn.set_value else drawn.default))
    if drawn.set_value:
        return _state(part, drawn.value)
    empty = part.kind != "checkbox" and not drawn.HasField("default")
    return _state(part, None if empty else drawn.default)
