"""
What is public in the installed pykafka, by introspection, as JSON: for each class, module or command the names of its
options, methods, properties and functions. test/pykafka/public-names.json is its output.
"""
import argparse
import ast
import enum
import importlib
import inspect
import json
import os

import pykafka

MODULES = [
    "client", "cluster", "broker", "topic", "partition", "producer", "simpleconsumer", "balancedconsumer",
    "managedbalancedconsumer", "membershipprotocol", "partitioners", "common", "connection", "handlers",
    "utils", "utils.compression", "utils.struct_helpers", "utils.error_handlers", "utils.socket", "exceptions",
]


def is_public(name):
    return not name.startswith("_")


def options_of(made):
    try:
        signature = inspect.signature(made.__init__)
    except (TypeError, ValueError):
        return []
    kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [name for name, one in signature.parameters.items() if name != "self" and one.kind not in kinds]


def members_of(made):
    names = set()
    for base in made.__mro__:
        if base.__module__.startswith("pykafka"):
            names |= {name for name in vars(base) if is_public(name)}
    if issubclass(made, enum.Enum):
        names |= set(made.__members__)
    return names


found = {}
for short in MODULES:
    module = importlib.import_module("pykafka." + short)
    functions = []
    for name, one in sorted(vars(module).items()):
        if not is_public(name) or getattr(one, "__module__", None) != module.__name__:
            continue
        if short == "exceptions":
            found.setdefault("exceptions", []).append(name)
        elif inspect.isclass(one):
            found[name] = sorted(set(options_of(one)) | members_of(one))
        elif callable(one):
            functions.append(name)
    if functions:
        found[short] = functions

from pykafka.protocol.message import Message  # noqa: E402

found["Message"] = sorted(set(options_of(Message)) | {n for n in members_of(Message) if n.islower()})

from pykafka.cli.kafka_tools import _get_arg_parser  # noqa: E402

parser = _get_arg_parser()
tools = {option for action in parser._actions for option in action.option_strings if option.startswith("--")}
for action in parser._actions:
    if isinstance(action, argparse._SubParsersAction):
        for name, one in action.choices.items():
            tools.add(name)
            tools |= {o for a in one._actions for o in a.option_strings if o.startswith("--")}
found["kafka-tools"] = sorted(tools - {"--help"})

# pykafka.test needs modules that pykafka does not install: it is read, not imported.
source = open(os.path.join(os.path.dirname(pykafka.__file__), "test", "kafka_instance.py")).read()
for made in ast.parse(source).body:
    if isinstance(made, ast.ClassDef) and made.name in ("KafkaInstance", "KafkaConnection", "CertManager"):
        methods = [one for one in made.body if isinstance(one, ast.FunctionDef)]
        options = [a.arg for one in methods if one.name == "__init__" for a in one.args.args if a.arg != "self"]
        found[made.name] = sorted(set(options) | {one.name for one in methods if is_public(one.name)})

print(json.dumps(found, indent=2))
