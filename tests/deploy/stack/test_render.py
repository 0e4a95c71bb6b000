"""How s.yaml is rendered, and what is said of an expression without a value."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.stack.render import DeclarationError, render


def _render(folder: Path, text: str, **environ: str) -> dict[str, object]:
    path = folder / "s.yaml"
    path.write_text(text, encoding="utf-8")
    props: dict[str, object] = render(path, environ, {"AccountID": "42"})["resources"]["r"]["props"]
    return props


def test_variables_are_replaced(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"k": [1, 2]}')
    text = """
vars: {name: wanx, full: "${vars.name}-${env('STAGE', 'dev')}"}
resources:
  r:
    component: fc3
    props:
      a: ${vars.full}
      b: acs:ram::${config('AccountID')}:role/${vars.full}
      c: "${json(file('./a.json'))}"
      d: ${env('SET')}
      e: ${resources.other.output.url}
      f: ${env('EMPTY', '')}
"""
    assert _render(tmp_path, text, SET="yes") == {
        "a": "wanx-dev",
        "b": "acs:ram::42:role/wanx-dev",
        "c": {"k": [1, 2]},
        "d": "yes",
        "e": "${resources.other.output.url}",
        "f": "",
    }


def test_a_template_is_merged_deeply_and_lists_are_replaced(tmp_path: Path) -> None:
    text = """
template:
  base: {timeout: 3, env: {A: "1", B: "2"}, list: [1, 2], gone: true}
resources:
  r:
    extend: {name: base, ignore: [gone]}
    props: {env: {B: "3"}, list: [9]}
"""
    expected = {"timeout": 3, "env": {"A": "1", "B": "3"}, "list": [9]}
    assert _render(tmp_path, text) == expected


@pytest.mark.parametrize(
    ("expression", "named"),
    [
        ("${env('MISSING')}", "environment variable MISSING is not set"),
        ("${vars.nothing}", "vars.nothing is not defined in this file"),
        ("${config('Nobody')}", "known: AccountID"),
        ("${file('./absent')}", "absent"),
        ("${shell('ls')}", "no function shell()"),
        ("${two words}", "not an expression"),
        ("${vars.loop}", "refers to itself"),
    ],
)
def test_every_expression_without_a_value_is_named_with_its_place(
    tmp_path: Path, expression: str, named: str
) -> None:
    text = f"""
vars: {{loop: "${{vars.loop}}"}}
resources: {{r: {{props: {{a: "{expression}", b: "${{env('SECOND')}}"}}}}}}
"""
    with pytest.raises(DeclarationError) as caught:
        _render(tmp_path, text)
    assert named in str(caught.value)
    assert "resources.r.props.b" in str(caught.value), "all findings are reported at once"
