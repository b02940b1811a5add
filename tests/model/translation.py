"""The template as CloudFormation sees it: translated offline by SAM's own translator."""

import copy
import os
from typing import Any
from unittest.mock import patch

from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

CODE = "s3://example-bucket/0123456789abcdef"


def translate(template: dict[str, Any], *, code: str = CODE, **parameters: Any) -> dict[str, Any]:
    """Translate a SAM template as `sam deploy` would, its code uploaded, its parameters given."""
    packaged = copy.deepcopy(template)
    for resource in packaged["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = code
    with patch.dict(os.environ, {"AWS_DEFAULT_REGION": "us-east-1"}):
        return Translator({}, Parser()).translate(packaged, parameters)


def of_type(template: dict[str, Any], resource_type: str) -> dict[str, dict[str, Any]]:
    """Pick the properties of every resource of a type, by logical id; there has to be one."""
    found = {
        name: resource.get("Properties", {})
        for name, resource in template["Resources"].items()
        if resource["Type"] == resource_type
    }
    assert found, f"the template has no {resource_type}"
    return found
