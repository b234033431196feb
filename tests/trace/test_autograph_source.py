"""Where source comes from: files, `linecache`, the interactive prompt; and what happens where there is none."""

from __future__ import annotations

import linecache
import os
import subprocess
import sys
import textwrap
from typing import Any

import pytest

import headwater as tf
from headwater._src.trace.autograph import source
from headwater._src.trace.autograph.conversion import Converted, Unconverted, result_for
from headwater._src.trace.autograph.convert import converted

pytestmark = pytest.mark.filterwarnings("ignore:tf.function")
N = tf.constant


def run(text: str, filename: str = "<string>") -> dict[str, Any]:
    namespace: dict[str, Any] = {"tf": tf}
    exec(compile(textwrap.dedent(text), filename, "exec"), namespace)
    return namespace


def register(text: str, filename: str) -> dict[str, Any]:
    text = textwrap.dedent(text)
    linecache.cache[filename] = (len(text), None, text.splitlines(True), filename)
    return run(text, filename)


ABSOLUTE = """
def absolute(x):
    if x > 0:
        return x
    return -x
"""


def test_registered_source():
    f = register(ABSOLUTE, "<cell 1>")["absolute"]
    assert tf.function(f)(N(-2)).numpy() == 2


def test_a_cell_that_is_run_again():
    f = register(ABSOLUTE, "<cell 2>")["absolute"]
    assert tf.function(f)(N(-2)).numpy() == 2
    g = register(ABSOLUTE.replace("-x", "x * 5"), "<cell 2>")["absolute"]
    assert tf.function(g)(N(-2)).numpy() == -10


def test_a_file_that_changed(tmp_path):
    path = tmp_path / "changing.py"
    path.write_text(ABSOLUTE)
    f = run(ABSOLUTE, str(path))["absolute"]
    path.write_text("\n\nimport os\n" * 30)
    os.utime(path, (1, 1))
    result = result_for(f)
    assert isinstance(result, Unconverted) and "import it again" in result.reason
    assert f(-2) == converted(f)(-2) == 2


def test_text_around_the_function_may_be_broken():
    text = "%magic\n" + textwrap.indent(textwrap.dedent(ABSOLUTE), "    ")
    linecache.cache["<cell 3>"] = (len(text), None, text.splitlines(True), "<cell 3>")
    namespace: dict[str, Any] = {}
    exec(compile("\nif True:\n" + text.partition("\n\n")[2], "<cell 3>", "exec"), namespace)
    found = source.find(namespace["absolute"].__code__)
    assert found.node.lineno == namespace["absolute"].__code__.co_firstlineno and found.node.col_offset == 4
    assert isinstance(result_for(namespace["absolute"]), Converted)


def test_without_source():
    names = run(ABSOLUTE + "\ndef square(x):\n    return x * x\n")
    assert tf.function(names["square"])(N(3)).numpy() == 9
    with pytest.raises(tf.errors.OperatorNotAllowedInGraphError) as caught:
        tf.function(names["absolute"])(N(-2))
    (note,) = caught.value.__notes__
    assert "did not convert 'absolute'" in note and "linecache.cache[filename]" in note
    assert tf.function(names["absolute"])(-2).numpy() == 2  # Python's own values need no conversion
    with pytest.raises(ValueError, match="can't convert 'absolute': its source is not available"):
        converted(names["absolute"], strict=True)
    assert "can't be read" in source._why_missing(compile("1", "/nowhere/at/all.py", "eval"))
    assert "interactive prompt" in source._why_missing(compile("1", "<stdin>", "eval"))


def test_what_cannot_be_rewritten_says_so():
    def f(x):
        for _ in range(3):
            try:
                x = x + 1
            finally:
                if x > 0:
                    break  # noqa: B012
        return x

    result = result_for(f)
    assert isinstance(result, Unconverted) and "inside `finally`" in result.reason
    with pytest.raises(tf.errors.OperatorNotAllowedInGraphError) as caught:
        tf.function(f)(N(1))
    assert "inside `finally`" in caught.value.__notes__[0]
    assert converted(f)(1) == f(1)


@pytest.mark.skipif(sys.version_info < (3, 13), reason="older prompts keep no source")
def test_the_interactive_prompt():
    import code

    lines = [
        "import headwater as tf",
        *ABSOLUTE.strip().splitlines(),
        "",
        "print(tf.function(absolute)(tf.constant(-7)).numpy())",
    ]
    program = (
        "import sys, linecache, code\n"
        "from _pyrepl.console import InteractiveColoredConsole as Console\n"
        "console = Console({'__name__': '__main__'}, filename='<stdin>')\n"
        f"parts = {['import headwater as tf', ABSOLUTE.strip() + chr(10), lines[-1]]!r}\n"
        "for k, part in enumerate(parts):\n"
        "    name = f'<python-input-{k}>'\n"
        "    linecache._register_code(name, part, '<stdin>')\n"
        "    console.push(part, filename=name, _symbol='single')\n"
    )
    assert code is not None
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.stdout.strip() == "7", done.stderr
