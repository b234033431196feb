"""The README's examples print what the README says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("heading", "name"), [("## A first example", "first.py"), ("## Functions", "second.py")]
)
def test_examples_print_what_is_shown(heading: str, name: str, tmp_path: Path) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    section = text[text.index(heading) :]
    code = re.search(r"```python\n(.*?)```", section, re.DOTALL)
    assert code is not None
    shown = re.findall(r"^```\n(.*?)```", section[code.end() :], re.DOTALL | re.MULTILINE)
    (tmp_path / name).write_text(code.group(1), encoding="utf-8")
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src"), "JAX_PLATFORMS": "cpu"}
    result = subprocess.run(
        [sys.executable, name],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env=environment,
        timeout=120,
        check=False,
    )
    here = f"{tmp_path}{os.sep}"
    assert result.stdout.replace(here, "").strip() == shown[0].strip()
    assert result.stderr.replace(here, "").strip().endswith(shown[1].strip())
    assert result.returncode == 1


def test_commands_exist() -> None:
    """Every `make` target that the README and CONTRIBUTING name is in the Makefile, and every linked file exists."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for page in ("README.md", "CONTRIBUTING.md", "docs/add_an_op.md", "docs/architecture.md"):
        text = (ROOT / page).read_text(encoding="utf-8")
        for target in re.findall(r"^\s*make (\w+)", text, re.MULTILINE):
            assert re.search(rf"^{target}:", makefile, re.MULTILINE), f"{page}: make {target}"
        for link in re.findall(r"\]\(([^)#]+)\)", text):
            assert ((ROOT / page).parent / link).exists(), f"{page}: {link}"
