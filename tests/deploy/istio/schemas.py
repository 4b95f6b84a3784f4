"""What the API server of a mesh knows of its resources, as JSON schemas for kubeconform.

    schemas.py ISTIOS_DEFINITIONS.yaml KUBERNETES_FOLDER FOLDER
"""

import json
import sys
from pathlib import Path

import yaml

# The kinds of Kubernetes itself in the examples: the file of the schema, and its name for kubeconform.
CORE = {
    "configmap-v1.json": "v1_configmap_v1.json",
    "service-v1.json": "v1_service_v1.json",
    "secret-v1.json": "v1_secret_v1.json",
    "deployment-apps-v1.json": "apps_deployment_v1.json",
    "poddisruptionbudget-policy-v1.json": "policy_poddisruptionbudget_v1.json",
    "networkpolicy-networking-v1.json": "networking.k8s.io_networkpolicy_v1.json",
}


def main(definitions, kubernetes, folder):
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for definition in yaml.safe_load_all(Path(definitions).read_text()):
        spec = definition["spec"]
        for version in spec["versions"]:
            name = f"{spec['group']}_{spec['names']['kind']}_{version['name']}.json".lower()
            schema = closed(version["schema"]["openAPIV3Schema"])
            # The API server knows these of every resource.
            schema["properties"] |= {"apiVersion": {}, "kind": {}, "metadata": {}}
            (folder / name).write_text(json.dumps(schema))
    definitions = json.loads((Path(kubernetes) / "_definitions.json").read_text())["$defs"]
    for file, name in CORE.items():
        schema = json.loads((Path(kubernetes) / file).read_text()) | {"$defs": definitions}
        # kubeconform reads one file, in the draft that gave definitions this name.
        text = json.dumps(schema).replace("/api/_definitions.json#", "#").replace("$defs", "definitions")
        (folder / name).write_text(text)


def closed(schema):
    """The schema with no room for unknown fields, but where the definition leaves some."""
    if isinstance(schema, list):
        return [closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    schema = {name: closed(part) for name, part in schema.items()}
    has_fields = schema.get("type") == "object" and isinstance(schema.get("properties"), dict)
    if has_fields and not schema.get("x-kubernetes-preserve-unknown-fields"):
        schema.setdefault("additionalProperties", False)
    return schema


if __name__ == "__main__":
    main(*sys.argv[1:])
