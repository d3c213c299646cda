"""Whether a click of a person on an open page is being carried out, or code that nobody asked for at this moment.

marimo has no public sign of it. Its kernel handles one message of the browser at a time, each in a method of its own,
and what it runs then stands above that method on the stack: a click sends the value of an input, or a widget's message;
a cell that is run, a scratchpad and what the editor's own agents do come as other messages. Code that runs in the same
process can forge whatever is asked here, so this holds against mistakes and careless code alone.
"""

from __future__ import annotations

import sys
from types import CodeType, FrameType

_MODULE = "marimo._runtime.kernel_request_handlers"
_OF_A_CLICK = ("_handle_set_ui_element_value", "_handle_receive_model_message")


def clicked() -> bool:
    """Tell whether this code runs since somebody used an input or a widget of the page: a cell's own run is none."""
    handlers = getattr(sys.modules.get(_MODULE), "KernelRequestHandlers", None)
    if handlers is None:
        return False
    methods = {method.__code__: name for name, method in vars(handlers).items() if isinstance(_code(method), CodeType)}
    outermost = ""
    frame: FrameType | None = sys._getframe()  # noqa: SLF001 - there is no other way to the stack
    while frame is not None:
        outermost = methods.get(frame.f_code, outermost)
        frame = frame.f_back
    return outermost in _OF_A_CLICK


def _code(method: object) -> object:
    return getattr(method, "__code__", None)
