"""Istio's custom resource definitions as JSON schemas, for kubeconform. Unknown fields are errors, as for the API server.

    schemas.py DEFINITIONS.yaml FOLDER
"""

import json
import sys
from pathlib import Path

import yaml


def main(definitions, folder):
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for definition in yaml.safe_load_all(Path(definitions).read_text()):
        spec = definition["spec"]
        for version in spec["versions"]:
            name = f"{spec['group']}_{spec['names']['kind']}_{version['name']}.json".lower()
            schema = version["schema"]["openAPIV3Schema"]
            # The API server knows these of every resource.
            schema["properties"] |= {"apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": {"type": "object"}}
            (folder / name).write_text(json.dumps(closed(schema)))


def closed(schema):
    """The schema with no room for further fields, but where the definition leaves some."""
    if isinstance(schema, list):
        return [closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    schema = {name: closed(part) for name, part in schema.items()}
    if isinstance(schema.get("properties"), dict) and schema.get("type") == "object":
        if not schema.get("x-kubernetes-preserve-unknown-fields"):
            schema.setdefault("additionalProperties", False)
    return schema


if __name__ == "__main__":
    main(*sys.argv[1:])
