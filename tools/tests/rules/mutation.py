"""Edits of a template, by paths: what a mutant is made of."""

from collections.abc import Callable
from typing import Any

Template = dict[str, Any]
Edit = Callable[[Template], object]


def parent(template: Template, path: str) -> tuple[Any, Any]:
    """Find what holds the last key of a path.

    A path starts at a resource and goes on in its properties; with `/` it starts at the top of the template. In a
    list, a key is the name of an item, an action that a statement names, or the intrinsic function that the item is.
    """
    *keys, last = path.lstrip("/").split(".")
    if not path.startswith("/"):
        resource, *rest = keys
        keys = ["Resources", resource, "Properties", *rest]
    holder: Any = template
    for key in keys:
        holder = holder[place(holder, key)]
    return holder, place(holder, last)


def place(holder: Any, key: str) -> str | int:
    if not isinstance(holder, list):
        return key
    if key.isdecimal():
        return int(key)
    (found,) = (
        index
        for index, item in enumerate(holder)
        if key in (item.get("Name"), item.get("Key"), *item, *item.get("Action", []))
    )
    return found


def put(path: str, value: Any) -> Edit:
    def edit(template: Template) -> None:
        holder, key = parent(template, path)
        holder[key] = value

    return edit


def drop(*paths: str) -> Edit:
    def edit(template: Template) -> None:
        for path in paths:
            holder, key = parent(template, path)
            del holder[key]

    return edit


def filled(alarm: str) -> Edit:
    """Put what an alarm watches into metric math that fills its gaps."""

    def edit(template: Template) -> None:
        properties = template["Resources"][alarm]["Properties"]
        metric = {name: properties.pop(name) for name in ("Namespace", "MetricName", "Dimensions")}
        measured = {"Metric": metric, "Period": properties.pop("Period"), "Stat": properties.pop("Statistic")}
        properties["Metrics"] = [
            {"Id": "filled", "Expression": "FILL(raw, 0)"},
            {"Id": "raw", "ReturnData": False, "MetricStat": measured},
        ]

    return edit
