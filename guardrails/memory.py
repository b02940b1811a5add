"""Over-provisioned memory, where a parameter hides it from the custom rules, which see literals only."""

from collections.abc import Iterator

from .reading import Function, Template, find, functions, items, refers_to
from .rule import Fault, Rule


class MemoryParameter(Rule):
    """A parameter lets a function have more memory than it needs."""

    id = "W9111"
    shortdesc = "A parameter offers a Lambda function more memory than it needs"
    description = "Memory is paid for by the millisecond; raise the limit in .cfnlintrc when a measurement asks for it"
    source_url = "https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html"
    tags = ["lambda", "cost"]
    settings = {"maximum_memory": 1024}  # MB, as in custom_rules.txt

    def subjects(self, template: Template) -> list[tuple[Function, str]]:
        """List the functions whose memory is a parameter, with its name."""
        return [
            (function, parameter)
            for function in functions(template)
            for memory in find(function.properties, "MemorySize")
            if (parameter := refers_to(memory)) in template.parameters and parameter
        ]

    def faults(self, subject: tuple[Function, str], template: Template) -> Iterator[Fault]:
        """Compare what the parameter offers with the limit."""
        function, parameter = subject
        body = template.parameters[parameter]
        largest = max(int(size) for size in (body.get("Default", 0), *items(body.get("AllowedValues"))))
        limit = self.config["maximum_memory"]
        if largest > limit:
            yield Fault(
                ["Parameters", parameter],
                f"memory of {function.id} should be at most {limit} MB (parameter {parameter} offers {largest})",
            )
