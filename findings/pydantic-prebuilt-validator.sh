#!/bin/sh
# A validator that is built from a changed copy of a model's core schema goes by the unchanged one, without a word:
# pydantic-core finds the class in the schema, and takes the validator that the class has already.
#
# Versions: pydantic 2.14.4 (pydantic-core of the same release).
#
# What happens: `SchemaValidator(schema)` looks at each node of type "model" (and dataclass, typed-dict) for its `cls`. If
# that has a finished `__pydantic_validator__`, this is used in place of one that would be built from the node. So what was
# changed at or below that node, an extra_fields_behavior or a constraint, does nothing. It does with the third argument,
# `_use_prebuilt`, set to False; pydantic does so itself when it rebuilds a model.
#
# Output seen:
#   the model at the root, changed: Extra inputs are not permitted
#   the model in a typed-dict, changed: Extra inputs are not permitted
#   the same, _use_prebuilt=False: read
#
# Exits with 0 as long as that is so. Needs Python 3.11 and the network (PyPI); takes some seconds.
set -eu
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/python" -m pip install -q pydantic==2.14.4
"$place/venv/bin/python" - <<'PY' | tee "$place/seen"
from pydantic import BaseModel, ValidationError
from pydantic_core import SchemaValidator, core_schema


class Closed(BaseModel, extra="forbid"):
    n: int


def opened(schema):
    return {**schema, "config": {**schema["config"], "extra_fields_behavior": "ignore"}}


def say(what, validator, text):
    try:
        validator.validate_json(text)
        print(f"{what}: read")
    except ValidationError as error:
        print(f"{what}: {error.errors()[0]['msg']}")


changed = opened(Closed.__pydantic_core_schema__)
outer = core_schema.typed_dict_schema({"data": core_schema.typed_dict_field(changed)})
say("the model at the root, changed", SchemaValidator(changed), '{"n": 1, "more": 2}')
say("the model in a typed-dict, changed", SchemaValidator(outer), '{"data": {"n": 1, "more": 2}}')
say("the same, _use_prebuilt=False", SchemaValidator(outer, None, False), '{"data": {"n": 1, "more": 2}}')
PY
cat > "$place/expected" <<'END'
the model at the root, changed: Extra inputs are not permitted
the model in a typed-dict, changed: Extra inputs are not permitted
the same, _use_prebuilt=False: read
END
diff "$place/expected" "$place/seen"
