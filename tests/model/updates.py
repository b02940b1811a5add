"""A stack's update as CloudFormation does it: every set of resources that can be in force while it is under way.

What is new or changed is made in the order of the new template's dependencies, whatever has none of them at any time;
what is gone is deleted afterwards, in clean-up, what depends on others before them:
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-update-behaviors.html
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .resolution import references

Resources = Mapping[str, dict[str, Any]]

ALIAS, SETTINGS = "AWS::Lambda::Alias", "AWS::Lambda::EventInvokeConfig"
# What decides whether a result arrives: who sends it where, and who may.
DECIDING = (ALIAS, SETTINGS, "AWS::Lambda::Function", "AWS::IAM::ManagedPolicy", "AWS::IAM::Role")


def moments(old: Resources, new: Resources) -> Iterator[Resources]:
    """Yield the resources in force at each moment of an update, from before it to the end of its clean-up."""
    yield from before_clean_up(old, new)
    removed = [name for name in old if name not in new and old[name]["Type"] in DECIDING]
    for left in _beginnings(removed, _dependencies(old)):
        yield {**{name: old[name] for name in left}, **new}


def before_clean_up(old: Resources, new: Resources) -> Iterator[Resources]:
    """Yield the resources in force at each moment up to the last change: from each the update may be rolled back."""
    changed = [name for name in new if old.get(name) != new[name] and new[name]["Type"] in DECIDING]
    for done in _beginnings(changed, _dependencies(new)):
        yield {**old, **{name: new[name] for name in done}}


def _beginnings(names: Iterable[str], dependencies: Mapping[str, set[str]]) -> Iterator[frozenset[str]]:
    """Yield every set of names in which each stands with all those of them that it depends on."""
    needs = {name: dependencies[name].intersection(names) for name in names}
    seen, left = {frozenset[str]()}, [frozenset[str]()]
    while left:
        done = left.pop()
        yield done
        for name in needs.keys() - done:
            if needs[name] <= done and (further := done | {name}) not in seen:
                seen.add(further)
                left.append(further)


def _dependencies(resources: Resources) -> dict[str, set[str]]:
    """Give all that each resource depends on, directly or not."""
    found: dict[str, set[str]] = {}

    def of(name: str) -> set[str]:
        if name not in found:
            resource = resources[name]
            named = resource.get("DependsOn", [])
            direct = {*references(resource.get("Properties")), *([named] if isinstance(named, str) else named)}
            found[name] = set().union(*({other} | of(other) for other in direct & resources.keys()))
        return found[name]

    for name in resources:
        of(name)
    return found


def undeliverable(resources: Resources) -> list[str]:
    """List the settings that send results to an alias that is not there, or that their function may not invoke."""
    return [
        f"{name} to {alias}"
        for name, settings in of_type(resources, SETTINGS)
        for alias in _destination(settings)
        if alias not in resources or alias not in _invocable(resources, settings["FunctionName"]["Ref"])
    ]


def without_settings(resources: Resources) -> list[str]:
    """List the aliases that are sent results, but have no settings of their own, so that theirs end there."""
    aliases = {(p["FunctionName"]["Ref"], p["Name"]): name for name, p in of_type(resources, ALIAS)}
    settled = {aliases.get((p["FunctionName"]["Ref"], p["Qualifier"])) for _, p in of_type(resources, SETTINGS)}
    sent = {alias for _, settings in of_type(resources, SETTINGS) for alias in _destination(settings)}
    return sorted(sent - settled)


def of_type(resources: Resources, resource_type: str) -> list[tuple[str, dict[str, Any]]]:
    return [(name, r["Properties"]) for name, r in resources.items() if r["Type"] == resource_type]


def _destination(settings: dict[str, Any]) -> list[str]:
    on_success = settings.get("DestinationConfig", {}).get("OnSuccess")
    return [on_success["Destination"]["Ref"]] if on_success else []


def _invocable(resources: Resources, function: str) -> set[str]:
    """Give what the role of a function may invoke, by the policies in force."""
    role = resources[function]["Properties"]["Role"]["Fn::GetAtt"][0]
    attached = [arn["Ref"] for arn in resources[role]["Properties"]["ManagedPolicyArns"]]
    policies = [
        p
        for name, p in of_type(resources, "AWS::IAM::ManagedPolicy")
        if name in attached or {"Ref": role} in p.get("Roles", [])
    ]
    statements = [s for policy in policies for s in policy["PolicyDocument"]["Statement"]]
    return {r["Ref"] for s in statements if s["Action"] == ["lambda:InvokeFunction"] for r in s["Resource"]}
