"""The project's name and its tags: everything that is named or tagged takes them from here.

`python generate.py --name orders` gives it another name.
"""

import re

LONGEST_SUFFIX = 20  # characters of EnvironmentSuffix
# https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html
LONGEST_FUNCTION = 64  # characters: the project's name, the stage's and the suffix, with hyphens between
LONGEST = 32  # characters of the project's name, which leave ten to its stages


def checked(name: str) -> str:
    """Return a project's name, if it can be one.

    Raises:
        ValueError: it can't.
    """
    if len(name) > LONGEST or not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name):
        raise ValueError(
            f"the project's name must be at most {LONGEST} lower-case letters, digits and single hyphens between them, "
            f"the first a letter (got '{name}')"
        )
    return name


NAME = checked("data-processing")
TAGS = {
    "Project": "".join(word.capitalize() for word in NAME.split("-")),
    "ManagedBy": "SAM",
    "CostCenter": "Engineering",
}

LONGEST_STAGE = LONGEST_FUNCTION - len(NAME) - LONGEST_SUFFIX - len("--")
