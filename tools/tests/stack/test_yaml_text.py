"""Templates are read as the SAM CLI reads them."""

import json

import pytest
from samcli.yamlhelper import yaml_parse

from pipeline.stack.yaml_text import parse
from tests.deployed import ROOT

SHORT_FORMS = """
Version: 2010-09-09
A: !GetAtt Queue.Arn
B: !GetAtt [Queue, Arn]
C: !Sub ["${a}", {a: !Ref Table}]
D: !If [Held, {x: !Ref "AWS::NoValue"}, 1.50]
E: !Condition Held
F: {yes: no, octal: 010, big: 12345678901234567890, empty: }
"""


@pytest.mark.parametrize("text", [SHORT_FORMS, (ROOT / "template.yaml").read_text()])
def test_a_template_is_read_as_the_sam_cli_reads_it(text: str) -> None:
    assert json.dumps(parse(text)) == json.dumps(yaml_parse(text))


def test_what_is_no_yaml_is_refused_with_its_place() -> None:
    with pytest.raises(ValueError, match="line 2, column 1"):
        parse("A: [1\n")
