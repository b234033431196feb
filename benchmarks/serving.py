"""How a framework's side of a benchmark answers its driver: a line of JSON for each line of JSON."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Callable
from typing import Any


def serve(answer: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Answers until the input ends. What the framework prints goes to the errors."""
    out = os.fdopen(os.dup(1), "w")
    with contextlib.redirect_stdout(sys.stderr):
        print(json.dumps({"ready": True}), file=out, flush=True)
        for line in sys.stdin:
            try:
                reply = answer(json.loads(line))
            except Exception as error:
                reply = {"error": f"{type(error).__name__}: {error}"[:300]}
            print(json.dumps(reply), file=out, flush=True)
